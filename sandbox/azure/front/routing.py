"""Tables of operations: which method and path is answered by what."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

HandlerT_co = TypeVar("HandlerT_co", covariant=True)


@dataclass(frozen=True)
class Route(Generic[HandlerT_co]):
    """One operation.

    Attributes:
        method: HTTP method.
        pattern: Matches the whole path, in any letter case.
        handle: Carries the operation out.
    """

    method: str
    pattern: re.Pattern[str]
    handle: HandlerT_co


RouteT = TypeVar("RouteT", bound="Route[object]")


class Routes(Generic[RouteT]):
    """The operations of a service; of several that match the first counts."""

    def __init__(self, routes: Iterable[RouteT]) -> None:
        self._by_method: dict[str, list[RouteT]] = defaultdict(list)
        for route in routes:
            self._by_method[route.method].append(route)

    def find(self, method: str, path: str) -> tuple[RouteT, re.Match[str]] | None:
        """The operation and what its path names, or None."""
        for route in self._by_method.get(method, ()):
            match = route.pattern.fullmatch(path)
            if match is not None:
                return route, match
        return None


def compile_path(path: str) -> re.Pattern[str]:
    """A pattern that ignores letter case; `{name}` in the path is one segment, `{name*}` all that follow."""
    text = re.escape(path).replace(r"\{", "{").replace(r"\}", "}").replace(r"\*}", "*}")
    text = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.*)", text)
    text = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text)
    return re.compile(text, re.IGNORECASE)
