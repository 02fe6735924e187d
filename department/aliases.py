"""Without the aliases that azure-native gives every resource for its older API versions' type names.

There are up to a hundred for a resource and each becomes a chain of Outputs: nearly all of the SDK's time goes into
them. Only a state that azure-native 1 or 2 wrote needs them.
"""

import pulumi


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
