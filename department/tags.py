"""Tags that others put on the resources, and that an update leaves alone."""

from collections.abc import Sequence

import pulumi


def leave_alone(names: Sequence[str]) -> None:
    """Let every resource that takes tags keep those of the names as they were last read from Azure."""
    if not names:
        return
    paths = [f'tags["{_escaped(name)}"]' for name in names]

    def transform(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if "tags" not in args.props:
            return None
        args.opts.ignore_changes = [*_paths(args.opts.ignore_changes), *paths]
        return pulumi.ResourceTransformationResult(props=args.props, opts=args.opts)

    pulumi.runtime.register_stack_transformation(transform)


def _paths(given: object) -> list[str]:
    return list(given) if isinstance(given, Sequence) else []


def _escaped(name: str) -> str:
    """A name as a property path quotes it."""
    return name.replace("\\", "\\\\").replace('"', '\\"')
