"""The rules of sweeps: what expressions give, how samples are taken, which trials a policy ends."""

import itertools
import math
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.ml.pipelines.sweeps import sweep
from sandbox.azure.ml.sweeps import policies, sampling, sobol
from sandbox.azure.ml.sweeps.space import PARTS, Expression, SpaceError, Tried, from_node, grid, parse, size, text_of

UNIT = st.floats(0, 1, exclude_max=True)
BOUND = st.floats(-50, 50)
STEP = st.sampled_from([0.1, 0.5, 1, 3])


def expression(kind: str, *arguments: Any) -> Expression:
    return parse("x", [kind, list(arguments)])


class TestExpressions:
    @given(UNIT, BOUND, BOUND, STEP)
    def test_uniform_ones_stay_within_their_bounds(self, unit: float, first: float, second: float, step: float) -> None:
        low, high = sorted((first, second))
        assert low <= expression("uniform", low, high).value(unit) <= high
        found = expression("quniform", low, high, step).value(unit)
        assert low - step / 2 - 1e-9 <= found <= high + step / 2 + 1e-9
        assert found / step == pytest.approx(round(found / step), abs=1e-6)

    @given(UNIT, BOUND, BOUND, STEP)
    def test_logarithmic_ones_are_the_exponents_of_uniform_ones(
        self, unit: float, first: float, second: float, step: float
    ) -> None:
        low, high = sorted((first, second))
        plain = expression("uniform", low, high).value(unit)
        found = expression("loguniform", low, high).value(unit)
        assert found == pytest.approx(math.exp(plain)) and found > 0
        rounded = expression("qloguniform", low, high, step).value(unit)
        assert rounded == pytest.approx(round(math.exp(plain) / step) * step)
        assert expression("loguniform", low, high).value(unit, 2.0) == pytest.approx(2.0**plain)

    @given(UNIT, BOUND, st.floats(0, 10), STEP)
    def test_normal_ones_follow_from_one_another(self, unit: float, mu: float, sigma: float, step: float) -> None:
        plain = expression("normal", mu, sigma).value(unit)
        assert math.isfinite(plain)
        assert expression("qnormal", mu, sigma, step).value(unit) == pytest.approx(round(plain / step) * step)
        found = expression("lognormal", mu, sigma).value(unit)
        assert found == pytest.approx(math.exp(plain))
        assert expression("qlognormal", mu, sigma, step).value(unit) == pytest.approx(round(found / step) * step)

    @given(UNIT, st.integers(1, 10**6))
    def test_randint_is_below_its_upper_bound(self, unit: float, upper: int) -> None:
        found = expression("randint", upper).value(unit)
        assert isinstance(found, int) and 0 <= found < upper

    @given(UNIT, st.lists(st.one_of(st.integers(), st.text(), st.booleans()), min_size=1))
    def test_a_choice_is_one_of_its_values(self, unit: float, values: list[Any]) -> None:
        assert expression("choice", values).value(unit) in values

    def test_distributions(self) -> None:
        units = [(number + 0.5) / 10_000 for number in range(10_000)]
        drawn = [expression("normal", 10, 3).value(unit) for unit in units]
        assert statistics.fmean(drawn) == pytest.approx(10, abs=0.01)
        assert statistics.stdev(drawn) == pytest.approx(3, rel=0.01)
        logs = [math.log(expression("loguniform", -6, -1).value(unit)) for unit in units]
        assert statistics.fmean(logs) == pytest.approx(-3.5, abs=0.01)
        coins = [expression("choice", ["a", "b"]).value(unit) for unit in units]
        assert coins.count("a") == 5000

    def test_a_choice_of_objects_draws_the_expressions_inside(self) -> None:
        nested = expression("choice", [{"kind": "small"}, {"kind": "large", "depth": ["randint", [10]], "lr": 1}])
        assert nested.value(0.1) == {"kind": "small"}
        found = nested.value(0.75)
        assert found == {"kind": "large", "depth": 5, "lr": 1}

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (["uniform", [1, 0]], "greater than its 'max_value'"),
            (["uniform", [0]], "needs min_value, max_value"),
            (["uniform", ["a", 1]], "must be a number"),
            (["quniform", [0, 1, 0]], "greater than 0"),
            (["normal", [0, -1]], "negative"),
            (["randint", [0]], "from 1 on"),
            (["choice", [[]]], "at least one value"),
            (["choice", [[None]]], "must be a number, a text"),
            (["beta", [0, 1]], "needs an expression: one of choice,"),
            ("uniform", "needs an expression"),
            (None, "needs an expression"),
            (["uniform", [0, math.inf]], "must be a number"),
        ],
    )
    def test_refusals_name_the_hyperparameter(self, given: Any, words: str) -> None:
        with pytest.raises(SpaceError, match="'lr'") as refused:
            parse("lr", given)
        assert words in str(refused.value)

    @pytest.mark.parametrize("kind", PARTS)
    def test_a_nodes_dialect_says_the_same(self, kind: str) -> None:
        arguments = {"values": ["a", 2], "upper": 3, "q": 2}
        sent = {"type": kind, **{part: arguments.get(part, 1) for part in PARTS[kind]}}
        assert parse("x", from_node("x", sent)) == expression(kind, *(sent[part] for part in PARTS[kind]))
        bound = {key: str(value) if isinstance(value, int) else value for key, value in sent.items()}
        assert from_node("x", bound) == from_node("x", sent)

    def test_values_in_a_command(self) -> None:
        assert [text_of(one) for one in ("a b", 3, 0.5, True, {"k": 1})] == ["a b", "3", "0.5", "True", '{"k": 1}']


SPACE = {"a": expression("choice", [1, 2]), "b": expression("choice", ["x", "y", "z"])}
OPEN = {"lr": expression("loguniform", -6, -1), "k": expression("choice", list(range(8)))}


def sampler(given: dict[str, Any], space: dict[str, Expression] = OPEN, name: str = "run") -> sampling.Sampler:
    return sampling.sampler(sampling.checked(given, space), space, name, maximize=True)


class TestSampling:
    def test_a_grid_has_each_combination_once(self) -> None:
        grid_sampler = sampler({"samplingAlgorithmType": "Grid"}, SPACE)
        found = [grid_sampler.sample(number, []) for number in range(7)]
        assert found[:6] == list(grid(SPACE)) and found[6] is None
        assert [(one["a"], one["b"]) for one in found[:6] if one] == list(itertools.product([1, 2], "xyz"))
        assert size(SPACE) == 6 and size(OPEN) is None

    def test_random_ones_are_the_same_for_the_same_seed_only(self) -> None:
        def drawn(seed: int | None, name: str) -> list[Any]:
            chosen = sampler({"samplingAlgorithmType": "random", "seed": seed}, OPEN, name)
            return [chosen.sample(number, []) for number in range(5)]

        assert drawn(7, "one") == drawn(7, "other") != drawn(8, "one")
        assert drawn(None, "one") != drawn(None, "other")
        assert len({str(one) for one in drawn(7, "one")}) == 5

    @given(st.integers(0, 2**31), st.integers(1, 30))
    def test_sobol_points_fill_each_dyadic_interval_once(self, seed: int, dimensions: int) -> None:
        points = [sobol.point(number, dimensions, seed) for number in range(32)]
        for coordinate in zip(*points, strict=True):
            assert sorted(int(one * 32) for one in coordinate) == list(range(32))

    def test_sobol_covers_choices_evenly(self) -> None:
        chosen = sampler({"samplingAlgorithmType": "Random", "rule": "sobol", "seed": 1})
        drawn = [chosen.sample(number, []) for number in range(16)]
        assert sorted(one["k"] for one in drawn if one) == sorted([*range(8), *range(8)])

    def test_what_the_service_fills_in(self) -> None:
        """sweep_job/…test_sweep_job_submit_minimal"""
        found = sampling.checked({"samplingAlgorithmType": "Random"}, OPEN)
        assert found == {"samplingAlgorithmType": "Random", "seed": None, "logbase": None, "rule": "Random"}

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"samplingAlgorithmType": "Halton"}, "not one of Random, Grid, Bayesian"),
            ({"samplingAlgorithmType": "Grid"}, "'choice' only"),
            ({"samplingAlgorithmType": "Bayesian"}, "'lr' is 'loguniform'"),
            ({"samplingAlgorithmType": "Random", "rule": "latin"}, "rule 'latin'"),
            ({"samplingAlgorithmType": "Random", "seed": "x"}, "seed"),
            ({"samplingAlgorithmType": "Random", "logbase": 0}, "logbase"),
            ({}, "not one of"),
        ],
    )
    def test_refusals(self, given: dict[str, Any], words: str) -> None:
        with pytest.raises(SpaceError) as refused:
            sampling.checked(given, OPEN)
        assert words in str(refused.value)

    def test_bayesian_sampling_goes_towards_what_scored_well(self) -> None:
        pytest.importorskip("optuna", reason="an extra")
        space = {"x": expression("uniform", 0, 1), "q": expression("quniform", 0, 1, 0.25), "c": SPACE["b"]}
        chosen, tried = sampler({"samplingAlgorithmType": "Bayesian"}, space), list[Tried]()
        for number in range(40):
            values = chosen.sample(number, tried)
            assert values is not None and values["c"] in "xyz" and values["q"] * 4 % 1 == 0
            tried.append(Tried(values, values["x"] if number % 7 else None))
        assert statistics.fmean(one.values["x"] for one in tried[20:]) > 0.7


def policy(kind: str, **more: Any) -> dict[str, Any]:
    return policies.checked({"policyType": kind, **more})


class TestPolicies:
    def test_bandit_with_a_factor(self) -> None:
        """The example of the documentation: best 0.8, factor 0.2: below 0.66 ends."""
        rule = policy("Bandit", slackFactor=0.2, evaluationInterval=10)
        best, good, poor = [0.1] * 9 + [0.8], [0.67] * 10, [0.66] * 10
        logged = {"best": best, "good": good, "poor": poor}
        ends = {name: policies.stops(rule, logged, name, 10, maximize=True) for name in logged}
        assert ends == {"best": False, "good": False, "poor": True}
        assert not policies.stops(rule, logged, "poor", 9, maximize=True)

    def test_bandit_that_minimises(self) -> None:
        rule = policy("Bandit", slackFactor=0.2)
        logged = {"best": [0.5], "good": [0.6], "poor": [0.61]}
        assert [policies.stops(rule, logged, name, 1, maximize=False) for name in logged] == [False, False, True]

    def test_bandit_with_an_amount(self) -> None:
        rule = policy("bandit", slackAmount=0.2)
        logged = {"best": [0.8], "good": [0.61], "poor": [0.59]}
        assert [policies.stops(rule, logged, name, 1, maximize=True) for name in logged] == [False, False, True]

    def test_median(self) -> None:
        """At interval 5 a best value that is worse than the median of the running averages ends."""
        rule = policy("MedianStopping", delayEvaluation=5)
        logged: policies.Logged = {"a": [1, 2, 3, 4, 5], "b": [2, 2, 2, 2, 2], "c": [1, 1, 1, 1, 1.5], "late": [9]}
        # averages over 1 to 5: 3, 2, 1.1 and 9: the median is 2.5
        ends = {name: policies.stops(rule, logged, name, 5, maximize=True) for name in "abc"}
        assert ends == {"a": False, "b": True, "c": True}
        assert not policies.stops(rule, logged, "c", 4, maximize=True)

    def test_truncation(self) -> None:
        """The lowest 20 % of the trials at interval 5 end."""
        rule = policy("TruncationSelection", truncationPercentage=20, evaluationInterval=5)
        logged: policies.Logged = {f"t{number}": [0, 0, 0, 0, number / 10] for number in range(10)}
        assert [name for name in logged if policies.stops(rule, logged, name, 5, maximize=True)] == ["t0", "t1"]
        assert [name for name in logged if policies.stops(rule, logged, name, 5, maximize=False)] == ["t8", "t9"]
        assert not policies.stops(rule, {"t0": [0.0] * 5}, "t0", 5, maximize=True)

    @given(st.integers(1, 7), st.integers(0, 12), st.integers(1, 40))
    def test_when_a_policy_judges(self, every: int, delay: int, interval: int) -> None:
        """At each multiple of the interval that is not below the delay."""
        rule = policy("Bandit", slackAmount=0.1, evaluationInterval=every, delayEvaluation=delay)
        logged = {"best": [1.0] * interval, "poor": [0.0] * interval}
        due = interval % every == 0 and interval >= delay
        assert policies.stops(rule, logged, "poor", interval, maximize=True) == due

    @given(
        st.dictionaries(st.text(), st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=9), min_size=1, max_size=6),
        st.booleans(),
        st.sampled_from([{"slackFactor": 0.1}, {"slackAmount": 3}]),
    )
    def test_the_best_trial_of_all_is_never_ended_by_a_bandit(
        self, logged: dict[str, list[float]], up: bool, slack: dict[str, float]
    ) -> None:
        rule = policy("Bandit", **slack)
        key = max if up else min
        best = key(logged, key=lambda name: key(logged[name][:3]))
        assert not policies.stops(rule, logged, best, 3, maximize=up)

    @given(
        st.dictionaries(st.text(), st.floats(-10, 10), min_size=1, max_size=20),
        st.integers(1, 99),
        st.booleans(),
    )
    def test_a_truncation_never_ends_more_than_its_share(self, last: dict[str, float], share: int, up: bool) -> None:
        rule = policy("TruncationSelection", truncationPercentage=share)
        logged = {name: [value] for name, value in last.items()}
        ended = [name for name in logged if policies.stops(rule, logged, name, 1, maximize=up)]
        assert len(ended) == int(len(logged) * share / 100)

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"policyType": "Patience"}, "not one of Bandit, MedianStopping, TruncationSelection"),
            ({"policyType": "TruncationSelection", "truncationPercentage": 100}, "from 1 to 99"),
            ({"policyType": "TruncationSelection"}, "from 1 to 99"),
            ({"policyType": "Bandit", "slackFactor": -1}, "slackFactor"),
            ({"policyType": "Bandit", "evaluationInterval": -1}, "evaluationInterval"),
            ({"policyType": "Bandit", "evaluationInterval": "x"}, "evaluationInterval"),
        ],
    )
    def test_refusals(self, given: dict[str, Any], words: str) -> None:
        with pytest.raises(policies.PolicyError) as refused:
            policies.checked(given)
        assert words in str(refused.value)


def test_a_node_with_all_settings_becomes_a_standalone_sweep() -> None:
    """As azure-ai-ml 1.35.2 sends it, with numbers that bindings made texts of."""
    given = {
        "limits": {"max_total_trials": "3", "timeout": 100, "trial_timeout": 60},
        "sampling_algorithm": {"type": "random", "seed": 3, "logbase": "e", "rule": "sobol"},
        "objective": {"goal": "maximize", "primary_metric": "m"},
        "early_termination": {
            "delay_evaluation": 0,
            "evaluation_interval": 2,
            "truncation_percentage": 20,
            "policy_type": "TruncationSelection",
        },
        "search_space": {"k": {"type": "uniform", "min_value": 0, "max_value": "1"}},
    }
    single = {
        **dict.fromkeys(("codeId", "environmentVariables", "distribution", "identity", "queueSettings")),
        "command": "echo ${{inputs.k}} ${{inputs.other}}",
        "environmentId": "azureml:e:1",
        "resources": {"instanceCount": 1},
    }
    found = sweep(given, single)
    assert found["searchSpace"] == {"k": ["uniform", [0, 1]]}
    assert found["trial"]["command"] == "echo ${{search_space.k}} ${{inputs.other}}"
    assert found["limits"] == {
        "jobLimitsType": "Sweep",
        "maxTotalTrials": 3,
        "maxConcurrentTrials": None,
        "timeout": "PT100S",
        "trialTimeout": "PT60S",
    }
    space = {name: parse(name, one) for name, one in found["searchSpace"].items()}
    assert sampling.checked(found["samplingAlgorithm"], space)["rule"] == "Sobol"
    assert policies.checked(found["earlyTermination"])["truncationPercentage"] == 20
    assert found["objective"] == {"goal": "maximize", "primaryMetric": "m"}
