"""Hooks that tell what they were called with: lines among the provider's calls, by the method `Hook`."""
import json, os

from provider import normal
from pulumi import ErrorHook, Output, ResourceHook, ResourceHookOptions


def readable(v):
    if isinstance(v, Output):
        return "<secret>"
    if isinstance(v, dict):
        return {k: readable(x) for k, x in sorted(v.items())}
    if isinstance(v, list):
        return [readable(x) for x in v] if len(v) < 4 else [readable(v[0]), f"{len(v)} in all"]
    return "<unknown>" if type(v).__name__ == "Unknown" else normal(v)


def tell(hook, args):
    found = {k: readable(v) for k, v in vars(args).items() if v not in (None, "", [])}
    with open(os.path.join(os.environ["TRACE_DIR"], "calls.jsonl"), "a") as f:
        f.write(json.dumps({"method": "Hook", "hook": hook, **found}) + "\n")


def on_error(name, answer):
    """An error hook: `answer` is what it returns, or a text that it raises, or a list of answers, one a call."""
    answers = iter(answer) if isinstance(answer, list) else None

    def called(args):
        tell(name, args)
        said = next(answers) if answers else answer
        if isinstance(said, str):
            raise Exception(said)
        return said
    return ErrorHook(name, called)


def hook(name, fails=False, **opts):
    """A hook that tells its call, and fails if it is told to."""
    def called(args):
        tell(name, args)
        if fails:
            raise Exception(f"{name} failed as asked")
    return ResourceHook(name, called, ResourceHookOptions(**opts) if opts else None)
