"""Runs the program afresh in this process, against a deployment."""

import asyncio
import contextlib
import contextvars
import io
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import run_in_stack, set_all_config, settings

from sandbox.engine.carry_out.deployment import Deployment
from sandbox.engine.carry_out.monitor import Engine, Monitor
from sandbox.engine.carry_out.positions import first_calls_alone
from sandbox.engine.errors import EngineError
from sandbox.engine.events import Diagnostic
from sandbox.engine.project import Project
from sandbox.engine.state.backend import ORGANIZATION
from sandbox.engine.workspace import Workspace


def run_program(d: Deployment, workspace: Workspace) -> bool:
    """Run the program against the deployment; returns whether it ended well."""
    return contextvars.Context().run(_run, d, workspace)


def _run(d: Deployment, workspace: Workspace) -> bool:
    monitor = Monitor(d, d.settle)
    settings.ROOT.set(None)
    given = settings.Settings(
        project=workspace.project.name,
        stack=workspace.stack.name,
        monitor=monitor,
        engine=Engine(d),
        parallel=d.options.parallel,
        dry_run=d.dry_run,
        organization=ORGANIZATION,
        root_directory=str(workspace.project.directory),
    )
    given.outputs = _Outputs()
    settings.configure(given)
    set_all_config(workspace.config.values, workspace.config.secret_keys)

    def program() -> None:
        runpy.run_path(str(workspace.project.main), run_name="__main__")

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    executor = _Threads(d)
    loop.set_default_executor(executor)
    asyncio.set_event_loop(loop)
    quiet = logging.getLogger("asyncio")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL)
    try:
        with _as_program(d, workspace.project), first_calls_alone():
            return _outcome(d, workspace, lambda: loop.run_until_complete(run_in_stack(program)))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        monitor.close()
        executor.shutdown(wait=True)  # what a provider is doing must end up in the state
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        asyncio.set_event_loop(None)
        quiet.setLevel(level)


class _Threads(ThreadPoolExecutor):
    """The threads in which the SDK's requests wait for the engine.

    What is asked while a hook runs has others: all of these may be waiting for hooks, which may not end without it.
    """

    def __init__(self, d: Deployment) -> None:
        super().__init__(d.options.parallel + 4, thread_name_prefix="pulumi")
        self._hooks = d.hooks
        self._others = ThreadPoolExecutor(1000, thread_name_prefix="pulumi-hooks")

    def submit(self, *args: Any, **given: Any) -> Future[Any]:
        return self._others.submit(*args, **given) if self._hooks.running else super().submit(*args, **given)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for shutdown in (super().shutdown, self._others.shutdown):
            shutdown(wait, cancel_futures=cancel_futures)


class _Outputs(set["asyncio.Task[Any]"]):
    """The program's outputs that are not resolved yet, as one task to wait for.

    The SDK takes a list of them, waits until any is done, and does so again, each time for all that are left. Here the
    list is of one task, which is done once all are, or one has failed.
    """

    def __iter__(self) -> Iterator["asyncio.Task[Any]"]:
        return iter([asyncio.ensure_future(_settled(list(super().__iter__())))])


async def _settled(outputs: list["asyncio.Task[Any]"]) -> None:
    done, _ = await asyncio.wait(outputs, return_when=asyncio.FIRST_EXCEPTION)
    for output in done:
        await output


def _outcome(d: Deployment, workspace: Workspace, run: Callable[[], Any]) -> bool:
    """Run the program and tell how it ended, as Pulumi's Python host does."""
    try:
        run()
    except pulumi.RunError as e:
        if d.cancelled and str(e).startswith("Resource monitor has terminated"):
            return True  # a step failed, or the user interrupted: known already
        d.error(str(e), "")
        d.error("an unhandled error occurred: program exited with non-zero exit code: 1", "")
        return False
    except SystemExit as e:
        if e.code in (None, 0):
            return True
        d.error(f"an unhandled error occurred: program exited with non-zero exit code: {e.code}", "")
        return False
    except EngineError:  # a delete's, which ran while the program waited
        raise
    except Exception as e:  # whatever the program raises ends the program, not the engine
        d.error(f"Program failed with an unhandled exception:\n{_traceback(e, workspace)}", "")
        return False
    return True


def _traceback(error: Exception, workspace: Workspace) -> str:
    """The traceback from the program's first own frame on; without one, what went wrong alone."""
    engine = (str(Path(__file__).parent), asyncio.__path__[0])
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(engine)]
    own = [n for n, f in enumerate(frames) if _is_own(f.filename, workspace.project)]
    head = ["Traceback (most recent call last):\n", *traceback.format_list(frames[own[0] :])] if own else []
    return "".join([*head, *traceback.format_exception_only(error)])


def _is_own(file: str, project: Project) -> bool:
    return Path(file).is_relative_to(project.directory) and "site-packages" not in file


@contextlib.contextmanager
def _as_program(d: Deployment, project: Project) -> Iterator[None]:
    """The process as a program of its own would find it: directory, arguments, output as messages, no stale modules."""
    path, argv, directory, modules = list(sys.path), sys.argv, Path.cwd(), set(sys.modules)
    out, err = _Lines(d, "info"), _Lines(d, "info#err")
    sys.argv = [str(project.main)]
    os.chdir(project.main)
    hidden = {name: sys.modules.pop(name) for name in _shadowed(modules, project)}
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield
    finally:
        out.flush_rest()
        err.flush_rest()
        sys.path[:], sys.argv = path, argv
        os.chdir(directory)
        own_package = __name__.partition(".")[0]
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and name.partition(".")[0] != own_package and _is_own(file, project):
                del sys.modules[name]  # the next run of the program starts afresh
        sys.modules.update(hidden)


def _shadowed(modules: set[str], project: Project) -> list[str]:
    """The modules of the engine's that have the name of one of the program's, which would then get the engine's."""
    packages = {file.parent.name for file in project.directory.glob("*/__init__.py")}
    own = packages | {file.stem for file in project.directory.glob("*.py")}
    own -= {__name__.partition(".")[0], "__main__"}
    files = {name: getattr(sys.modules[name], "__file__", None) for name in modules if name.partition(".")[0] in own}
    return [name for name, file in files.items() if file and not _is_own(file, project)]


class _Lines(io.TextIOBase):
    """The program's standard output, which becomes a message for each line."""

    def __init__(self, d: Deployment, severity: str) -> None:
        self._d, self._severity, self._rest = d, severity, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._d.emit(Diagnostic(self._severity, line))
        return len(text)

    def flush_rest(self) -> None:
        if self._rest:
            self._d.emit(Diagnostic(self._severity, self._rest))
