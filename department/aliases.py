"""Aliases: those of renamed teams, and none of those that azure-native gives every resource for older type names.

There are up to a hundred for a resource and each becomes a chain of Outputs: nearly all of the SDK's time goes into
them. Only a state that azure-native 1 or 2 wrote needs them.
"""

import re
from collections.abc import Iterable, Mapping

import pulumi

from settings import Team

_MIDDLE = r"model-registry-(?:user|reader)-"
"""The prefix of the team's name where a team uses a resource of the department."""


def keep_renamed(teams: Iterable[Team]) -> None:
    """Let Pulumi take the resources of each team for those that it had under its former name."""
    former = {team.name: team.former_name for team in teams if team.former_name}
    if not former:
        return

    def with_former(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        before = [pulumi.Alias(name=name) for name in _former_names(args.name, former)]
        args.opts.aliases = [*(args.opts.aliases or ()), *before]
        return pulumi.ResourceTransformationResult(props=args.props, opts=args.opts)

    pulumi.runtime.register_stack_transformation(with_former)


def _former_names(name: str, former: Mapping[str, str]) -> set[str]:
    """The former names of a resource: its name can have the team's twice, or something else of the same name."""
    found = re.match(rf"(?:{_MIDDLE})?({'|'.join(former)})(?=-|$)", name)
    if not found:
        return set()
    word = re.compile(rf"(?<![^-]){found[1]}(?![^-])")
    return {word.sub(former[found[1]], name, count=count) for count in (0, 1)}


def drop_version_aliases() -> None:
    """Let the stack's resources keep the aliases that the project has set, and no others."""
    pulumi.runtime.register_stack_transformation(_without_version_aliases)


def _without_version_aliases(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if not args.opts.aliases:
        return None
    args.opts.aliases = [alias for alias in args.opts.aliases if not _is_version_alias(alias)]
    return pulumi.ResourceTransformationResult(props=args.props, opts=args.opts)


def _is_version_alias(alias: object) -> bool:
    """Whether it tells another azure-native type and nothing else, as the SDK's own do."""
    if not isinstance(alias, pulumi.Alias) or not isinstance(alias.type_, str):
        return False
    others: tuple[object, ...] = (alias.name, alias.parent, alias.stack, alias.project)
    return alias.type_.startswith("azure-native:") and all(other is ... for other in others)
