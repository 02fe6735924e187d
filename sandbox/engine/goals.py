"""A goal of the program: a resource with its options, as a registration asks for it."""

from dataclasses import dataclass, field

from sandbox.engine.state.resources import Resource
from sandbox.engine.values import Map


@dataclass(frozen=True)
class Alias:
    """Another identity that a resource may have in the state: a whole URN, or parts that are not the present ones."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


@dataclass
class Goal:
    """A resource as the program wants it."""

    type: str
    name: str
    custom: bool
    properties: Map
    parent: str = ""
    protect: bool | None = None
    dependencies: list[str] = field(default_factory=list)
    provider: str = ""
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    delete_before_replace: bool | None = None
    ignore_changes: list[str] = field(default_factory=list)
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    import_id: str = ""
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    replace_on_changes: list[str] = field(default_factory=list)
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    hooks: dict[str, list[str]] = field(default_factory=dict)
    source_position: str = ""  # where the program makes it: project:///FILE#LINE

    def state(self, urn: str, alias: str, old: Resource | None = None) -> Resource:
        """The state that the resource will have, before anything is done; it keeps the old one's times."""
        return Resource(
            urn=urn,
            type=self.type,
            custom=self.custom,
            inputs=self.properties,
            parent=self.parent,
            protect=bool(self.protect),
            dependencies=self.dependencies,
            provider=self.provider,
            property_dependencies=self.property_dependencies,
            additional_secret_outputs=self.additional_secret_outputs,
            aliases=[alias] if alias else [],
            custom_timeouts=self.custom_timeouts,
            import_id=self.import_id,
            retain_on_delete=bool(self.retain_on_delete),
            deleted_with=self.deleted_with,
            ignore_changes=self.ignore_changes,
            replace_on_changes=self.replace_on_changes,
            hooks=self.hooks,
            source_position=self.source_position,
            created=old.created if old else "",
            modified=old.modified if old else "",
        )
