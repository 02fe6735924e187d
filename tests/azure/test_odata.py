"""`$filter`, against terms put together by a grammar."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.odata import FilterError, Term, parse_filter

FIELDS = st.sampled_from(["name", "displayName", "owner/id", "tagName"])
TEXTS = st.text("ab '()/,éand ", max_size=10)
VALUES: st.SearchStrategy[Any] = st.one_of(TEXTS, st.booleans(), st.none())


def literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return {True: "true", False: "false", None: "null"}[value]


def text(term: Term) -> str:
    match term.operator:
        case "eq" | "ne":
            return f"{term.field} {term.operator} {literal(term.value)}"
        case "in":
            return f"{term.field} in ({', '.join(literal(one) for one in term.value)})"
        case "startswith" | "endswith":
            return f"{term.operator}({term.field}, {literal(term.value)})"
        case "substringof":
            return f"substringof({literal(term.value)},{term.field})"
        case _:
            return f"{term.operator}({literal(term.value)})"


TERMS = st.one_of(
    st.builds(Term, st.sampled_from(["eq", "ne"]), FIELDS, VALUES),
    st.builds(Term, st.just("in"), FIELDS, st.lists(VALUES, min_size=1, max_size=3).map(tuple)),
    st.builds(Term, st.sampled_from(["startswith", "endswith", "substringof"]), FIELDS, TEXTS),
    st.builds(Term, st.sampled_from(["assignedto", "atscope"]), st.just(""), TEXTS),
)


@given(st.lists(TERMS, max_size=4))
def test_a_filter_reads_back_as_it_was_written(terms: list[Term]) -> None:
    assert parse_filter(" and ".join(text(term) for term in terms)) == terms


@given(st.text("ab'= eqandin()/,startswith", max_size=30))
def test_any_text_is_understood_or_refused(given_text: str) -> None:
    try:
        terms = parse_filter(given_text)
    except FilterError as error:
        assert given_text in str(error)
    else:
        assert all(isinstance(term, Term) for term in terms)


@pytest.mark.parametrize("wrong", ["name", "name eq", "name eq 'a' or b eq 'c'", "name eq 'a' and", "(name eq 'a')"])
def test_what_is_not_understood_is_refused(wrong: str) -> None:
    with pytest.raises(FilterError):
        parse_filter(wrong)


@pytest.mark.parametrize(
    ("filter_", "found", "expected"),
    [
        ("n eq 'A'", "a", True),
        ("n eq 'a'", None, False),
        ("n eq null", None, True),
        ("n ne 'a'", "b", True),
        ("n eq true", True, True),
        ("n eq true", "true", False),
        ("n eq 'a'", ["b", "A"], True),
        ("n ne 'a'", ["b", "a"], False),
        ("n in ('a', 'b')", "B", True),
        ("startswith(n, 'ab')", "ABC", True),
        ("startswith(n, 'ab')", None, False),
        ("endswith(n, 'c')", "abc", True),
        ("substringof('b', n)", "abc", True),
    ],
)
def test_terms_compare_without_case(filter_: str, found: Any, expected: bool) -> None:
    (term,) = parse_filter(filter_)
    assert term.holds(found) is expected
