"""The engine describes only the call that makes a resource: the same one as the SDK, which describes them all."""

from collections.abc import Callable

import pytest
from pulumi.runtime import resource

from sandbox.engine.carry_out.positions import first_calls_alone


class Base:
    def __init__(self) -> None:
        self.calls = list(resource._get_stack_trace().frames)


class Custom(Base):
    def __init__(self) -> None:
        super().__init__()


class Own(Custom):
    """A class as azure-native's are."""

    def __init__(self) -> None:
        self._internal_init()

    def _internal_init(self) -> None:
        super().__init__()


class Derived(Own):
    """A class of the program's own above it."""

    def __init__(self) -> None:
        super().__init__()


class Holder:
    """A class that makes one in its constructor, as components do."""

    def __init__(self) -> None:
        self.calls = Own().calls


@pytest.mark.parametrize("make", [Own, Derived, Holder])
def test_the_first_call_is_the_sdk_s(make: Callable[[], Own]) -> None:
    def call() -> Own:
        return make()

    every = call().calls
    with first_calls_alone():
        alone = call().calls
    assert every[0].pc.uri.endswith("/test_positions.py") and len(every) > 1
    assert alone == every[:1]
    assert len(call().calls) == len(every)


def test_no_call_is_told_where_no_resource_is_made() -> None:
    with first_calls_alone():
        assert list(resource._get_stack_trace().frames) == []
