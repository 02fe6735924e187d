"""Errors that pass by themselves are tried again, so that they do not end a whole update.

The providers repeat single requests (azcore and go-azure-sdk: 429 with Retry-After, 5xx, connections that break). What
gets past them: half an answer to a sign-in or another POST, a token that Azure calls expired, an outage longer than
their tries, and a role that an identity was given and that is not in force everywhere yet.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import pulumi

T = TypeVar("T")

PAUSES = (5.0, 15.0, 45.0, 90.0, 180.0, 240.0)
"""Seconds before each further try: together the ten minutes that a role assignment may take to be in force.

Source: learn.microsoft.com/azure/role-based-access-control/troubleshooting.
"""
_PASSES = re.compile(
    r"\b(?:status(?: code)?|RESPONSE)[= ](?:408|429|500|502|503|504)\b"
    r"|ExpiredAuthenticationToken|\bEOF\b|connection reset by peer|i/o timeout|TLS handshake timeout"
    # What a resource's own identity may not yet, not the caller ("The client '…' does not have authorization").
    r"|\bidentity '[^']+'[^.]*? (?:does not have the permission|may not wrap)",
    re.IGNORECASE,
)

_MADE = re.compile(r"\d+ errors? occurred:")
"""The error of a resource that exists and belongs into the state (InitError); the next update goes on with it."""

_TAKEN = re.compile(r"deleted state|soft.deleted", re.IGNORECASE)
"""A vault's or workspace's name that a deleted one still has."""


def retry_what_passes() -> None:
    """Let each operation on the stack's resources be tried again where what went wrong passes by itself."""
    hooks = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("retry-what-passes", _again)])

    def hooked(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.startswith("azure-native:"):
            return None  # components; and Graph, where a try after a lost answer makes a second application
        args.opts.hooks = pulumi.ResourceHookBinding.merge(args.opts.hooks, hooks)
        return pulumi.ResourceTransformationResult(args.props, args.opts)

    pulumi.runtime.register_stack_transformation(hooked)


def lookup(
    ask: Callable[[], pulumi.Output[T]],
    errors: tuple[str, ...] = (),
    otherwise: Callable[[str], pulumi.Input[T]] | None = None,
) -> pulumi.Output[T]:
    """The answer of a provider's function, which is called again after an error that passes by itself.

    Args:
        ask: Calls the function: `lambda: azuread.get_user_output(…)`.
        errors: What has gone wrong so far, the newest first.
        otherwise: What takes the answer's place, from the error's text; without it, the program fails.
    """

    async def asked_again(error: Exception) -> pulumi.Input[T]:
        told = (str(error), *errors)
        if not await _wait("a lookup", told):
            if otherwise:
                return otherwise(str(error))
            raise pulumi.RunError(str(error)) from None  # which is told without a traceback
        return lookup(ask, told, otherwise)

    return ask().recover(cast("Callable[[Exception], pulumi.Input[T]]", asked_again))  # an Output in an awaitable, too


def lookup_made(made: pulumi.Resource, ask: Callable[[], pulumi.Output[T]]) -> pulumi.Output[T]:
    """The answer of a provider's function about a resource that the program makes.

    It is an output of that resource in a first preview, too. There Pulumi asks nothing and forgets what the arguments
    came from, so that no policy could tell whose the answer will be.
    """
    answer: pulumi.Output[T] = made.urn.apply(lambda _: lookup(ask))
    return answer


async def _again(args: pulumi.ErrorHookArgs) -> bool:
    if _TAKEN.search(args.errors[0]):
        file = f"Pulumi.{pulumi.get_stack()}.yaml"
        pulumi.log.warn(f"{args.name}: `python -m department purge --check {file}` tells what blocks the name.")
    if args.failed_operation == "create" and _MADE.match(args.errors[0]):
        return False
    return await _wait(f"{args.failed_operation} of {args.name}", args.errors)


async def _wait(what: str, errors: Sequence[str]) -> bool:
    """Whether to try again, after a pause; `errors`: all so far, the newest first."""
    if len(errors) > len(PAUSES) or not _PASSES.search(errors[0]):
        return False
    pause = PAUSES[len(errors) - 1]
    pulumi.log.warn(f"{what}: {errors[0]}\nThis passes by itself: try {len(errors) + 1} follows in {pause:.0f} s.")
    await asyncio.sleep(pause)
    return True
