"""Resource hooks: functions of the program that are called before and after a step, or when it fails.

As in Pulumi (`pkg/resource/deploy/resource_hooks.go`, `retries.go`): the program registers hooks by name and binds them
to resources, whose state keeps the names; the engine asks the program's own callback server to call one.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from pulumi.runtime.proto import resource_pb2

from sandbox.engine.context import Context
from sandbox.engine.errors import EngineError
from sandbox.engine.provider import InitError, ProviderError
from sandbox.engine.state.resources import Resource
from sandbox.engine.values import Map, to_struct

BINDINGS = {  # as the state names them -> as the protocol does
    "BeforeCreate": "before_create",
    "AfterCreate": "after_create",
    "BeforeUpdate": "before_update",
    "AfterUpdate": "after_update",
    "BeforeDelete": "before_delete",
    "AfterDelete": "after_delete",
    "OnError": "on_error",
}
_MOST_FAILURES = 100  # after which a step is given up, whatever its hooks say
_LOOK_SECONDS = 0.1  # how often who waits for an error hook looks for an interrupt

Start = Callable[[bytes], Any]  # sends a request to a hook: a gRPC call, to wait for
_T = TypeVar("_T")


class HookError(ProviderError):
    """A hook failed, or is not there."""


@dataclass(frozen=True)
class _Hook:
    start: Start
    on_dry_run: bool = False
    ignore_errors: bool = False


def bindings(sent: resource_pb2.RegisterResourceRequest.ResourceHooksBinding) -> dict[str, list[str]]:
    """The names of a resource's hooks, by kind, as the state has them."""
    by_kind = {kind: list(getattr(sent, field)) for kind, field in BINDINGS.items()}
    return {kind: names for kind, names in sorted(by_kind.items()) if names}


class Hooks:
    """The hooks that the program has registered in this operation."""

    def __init__(self, deployment: Context) -> None:
        self._d = deployment
        self._resource: dict[str, _Hook] = {}
        self._error: dict[str, _Hook] = {}
        self.running = 0  # hooks that are being called
        self._count_lock = threading.Lock()

    def register(self, request: resource_pb2.RegisterResourceHookRequest, start: Start) -> None:
        """Note a hook that is called before or after steps.

        Raises:
            EngineError: its name is empty, or given already.
        """
        self._refuse_taken(request.name)
        self._resource[request.name] = _Hook(start, request.on_dry_run, request.ignore_errors)

    def register_error_hook(self, request: resource_pb2.RegisterErrorHookRequest, start: Start) -> None:
        """Note a hook that is asked whether to repeat what has failed.

        Raises:
            EngineError: its name is empty, or given already.
        """
        self._refuse_taken(request.name)
        self._error[request.name] = _Hook(start)

    def _refuse_taken(self, name: str) -> None:
        if not name:
            raise EngineError("resource hook name cannot be empty")
        if name in self._resource or name in self._error:
            raise EngineError(f'resource hook already registered for name "{name}"')

    # ---- before and after

    def run(self, kind: str, old: Resource | None, new: Resource | None) -> None:
        """Call a resource's hooks of one kind (`BeforeCreate`, …), one after another.

        Raises:
            HookError: one failed whose failure counts, or is not registered; those behind it are not called.
        """
        resource = new or old
        names = resource.hooks.get(kind) if resource else None
        if not resource or not names:
            return
        when = "before" if kind.startswith("Before") else "after"
        request = resource_pb2.ResourceHookRequest(**_parts(resource, old, new))
        if new and when == "after":
            request.new_outputs.CopyFrom(to_struct(new.outputs))
        for name in names:
            if name not in self._resource:
                raise HookError(f'hook "{name}" was not registered')
            hook = self._resource[name]
            if self._d.dry_run and not hook.on_dry_run:
                continue
            try:
                reply = resource_pb2.ResourceHookResponse.FromString(
                    self._answer(hook.start, request.SerializeToString())
                )
                failure = str(reply.error)
            except HookError as e:
                failure = str(e)
            if failure and not hook.ignore_errors:
                raise HookError(f'{when} hook "{name}" failed: {failure}')
            if failure:
                self._d.warn(f'{kind} hook "{name}" failed: {failure}', resource.urn)

    def run_after(self, kind: str, old: Resource | None, new: Resource | None) -> None:
        """Call hooks after a step: what it did stays and is stored, but a hook that fails makes the operation fail."""
        try:
            self.run(kind, old, new)
        except HookError as e:
            self._d.fail_after_step(str(e), (new or old or Resource("", "")).urn)

    # ---- errors

    def repeated(self, operation: str, old: Resource | None, new: Resource | None, call: Callable[[], _T]) -> _T:
        """Call the provider; if it fails, again as long as one of the resource's error hooks wants it so.

        Args:
            operation: create, update or delete.
            old: what was there.
            new: what is to be there; None if nothing is.
            call: the call of the provider.

        Raises:
            ProviderError: the last failure, with what kept hooks from having it repeated.
        """
        resource = new or old
        names = resource.hooks.get("OnError") if resource else None
        if not resource or not names:
            return call()
        failures: list[str] = []
        while True:
            try:
                return call()
            except ProviderError as e:
                failures.insert(0, str(e))
                if new and isinstance(e, InitError):
                    new.init_errors = e.reasons  # they stay even if it then succeeds, as in Pulumi
                if self._d.interrupted:
                    raise
                # Pulumi tells one of the two only: what the provider said, or what was wrong with the hooks.
                if len(failures) == _MOST_FAILURES:
                    self._d.warn(f"maximum number of error hook retries ({_MOST_FAILURES}) reached", resource.urn)
                    raise _also(e, "maximum number of error hook retries reached") from None
                request = resource_pb2.ErrorHookRequest(
                    **_parts(resource, old, new), failed_operation=operation, errors=failures
                )
                try:
                    wanted = [self._wants_again(name, request) for name in names]
                except HookError as hook_error:
                    raise _also(e, f"error hooks execution failed: {hook_error}") from None
                if not any(wanted) or self._d.interrupted:
                    raise
            count = f"{len(failures)}/{_MOST_FAILURES}"
            self._d.warn(f"retrying {operation} due to on-error hook request ({count})", resource.urn)

    def _wants_again(self, name: str, request: resource_pb2.ErrorHookRequest) -> bool:
        if name not in self._error:
            raise HookError(f'error hook "{name}" was not registered')
        try:
            sent = request.SerializeToString()
            answer = self._answer(self._error[name].start, sent, unless=lambda: self._d.interrupted)
            reply = resource_pb2.ErrorHookResponse.FromString(answer)
        except HookError as e:
            raise HookError(f'error hook "{name}" failed: {e}') from e
        if reply.error:
            raise HookError(f'error hook "{name}" failed: {reply.error}')
        return bool(reply.retry)

    def _answer(self, start: Start, request: bytes, unless: Callable[[], bool] | None = None) -> bytes:
        """The hook's answer; none (which says no) if there is reason not to wait for it any longer."""
        with self._count_lock:
            self.running += 1
        try:
            call = start(request)
            while True:
                try:
                    return bytes(call.result(timeout=_LOOK_SECONDS if unless else None).response)
                except grpc.FutureTimeoutError:
                    if unless and unless():
                        call.cancel()
                        return b""
        except grpc.RpcError as e:
            raise HookError(e.details()) from e
        except grpc.FutureCancelledError as e:
            raise HookError("the program has ended") from e
        finally:
            with self._count_lock:
                self.running -= 1


def _parts(resource: Resource, old: Resource | None, new: Resource | None) -> Map:
    """The part of a hook's arguments that all kinds of hooks get."""
    return {
        "urn": resource.urn,
        "id": resource.id,
        "name": resource.name,
        "type": resource.type,
        "new_inputs": to_struct(new.inputs) if new else None,
        "old_inputs": to_struct(old.inputs) if old else None,
        "old_outputs": to_struct(old.outputs) if old else None,
    }


def _also(error: ProviderError, text: str) -> ProviderError:
    """The same error, and what else is to be said."""
    error.args = (f"{error}\n{text}",)
    return error
