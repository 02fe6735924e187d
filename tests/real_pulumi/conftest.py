"""`--seeds FIRST-LAST` compares other random programs than those of every run."""

import pytest

# Programs with replacements, renames, targets, failures and refreshes, in which nothing is left to chance.
SEEDS = (101, 150, 153)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", metavar="FIRST-LAST", help="random programs to compare with the real pulumi")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        given: str | None = metafunc.config.getoption("--seeds", None)
        first, _, last = (given or "").partition("-")
        metafunc.parametrize("seed", range(int(first), int(last or first) + 1) if given else SEEDS)
