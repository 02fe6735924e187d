"""Where the program makes its resources, without the whole stack of calls.

For each resource, the SDK describes every call on the stack, with a look at each file. Only the first one is kept in
the state: the call that made the resource.
"""

import contextlib
import sys
import traceback
from collections.abc import Iterator
from functools import cache

from pulumi.runtime import resource
from pulumi.runtime.proto import source_pb2

_CONSTRUCTORS = 3  # Resource, CustomResource or ComponentResource, and the resource's own, as the SDK counts them


@contextlib.contextmanager
def first_calls_alone() -> Iterator[None]:
    """Let the SDK describe the first call alone, until the block ends."""
    own = resource._get_stack_trace  # the SDK has no other place to say so
    resource._get_stack_trace = _first_call
    try:
        yield
    finally:
        resource._get_stack_trace = own


def _first_call() -> source_pb2.StackTrace:
    frame, met = sys._getframe(1), 0  # `inspect` looks at files, which is what takes the time
    while frame.f_back:
        met += frame.f_code.co_name == "__init__"
        frame, constructor = frame.f_back, frame
        if met == _CONSTRUCTORS and constructor.f_code.co_name == "__init__":
            position = _position(frame.f_code.co_filename, frame.f_lineno)
            return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=position)])
    return source_pb2.StackTrace()


@cache
def _position(file: str, line: int) -> source_pb2.SourcePosition | None:
    frame = traceback.FrameSummary(file, line, "", lookup_line=False)
    return resource._get_source_position_for_frame(frame)
