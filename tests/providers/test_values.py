"""Property values in the protocol's form and as plain Python."""

from typing import Any

from google.protobuf import json_format, struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from sandbox.providers import values

KEYS = st.text(max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
PROPERTIES = st.dictionaries(KEYS, VALUES, max_size=5)


@given(PROPERTIES)
def test_what_goes_in_comes_out(properties: dict[str, Any]) -> None:
    struct = values.to_struct(properties)
    assert values.same(values.from_struct(struct), properties)
    assert values.from_struct(values.to_struct(values.from_struct(struct))) == values.from_struct(struct)


@given(PROPERTIES)
def test_a_struct_is_what_protobuf_makes_of_the_same_values(properties: dict[str, Any]) -> None:
    theirs = struct_pb2.Struct()
    json_format.ParseDict(properties, theirs)
    assert values.to_struct(properties) == theirs


def test_whole_numbers_are_integers_and_empty_collections_stay() -> None:
    found = values.from_struct(values.to_struct({"n": 1.0, "half": 0.5, "flag": True, "none": {}, "nil": []}))
    assert found == {"n": 1, "half": 0.5, "flag": True, "none": {}, "nil": []}
    assert [type(found["n"]), type(found["flag"])] == [int, bool]


def test_secrets_are_taken_off_and_put_on() -> None:
    given = {
        "password": values.secret("x"),
        "list": [values.secret(1), 2],
        "nested": {"key": values.secret({"a": None})},
    }
    assert values.unmarked(given) == {"password": "x", "list": [1, 2], "nested": {"key": {}}}
    outputs = values.marked_like({"password": "x", "list": [1, 2], "nested": {"key": {"b": 1}, "other": 1}}, given)
    assert outputs == {
        "password": values.secret("x"),
        "list": [values.secret(1), 2],
        "nested": {"key": values.secret({"b": 1}), "other": 1},
    }


def test_true_is_not_one() -> None:
    assert not values.same({"a": [True]}, {"a": [1]})
    assert values.same({"a": [1.0]}, {"a": [1]})


@given(PROPERTIES)
def test_marking_as_itself_changes_nothing(properties: dict[str, Any]) -> None:
    assert values.marked_like(properties, properties) == properties
