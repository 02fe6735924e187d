"""Members and owners, and the groups that somebody is in.

Sources: learn.microsoft.com/graph/api/group-post-members, directoryobject-checkmembergroups.
"""

from sandbox.azure.cloud import Cloud
from sandbox.azure.front.errors import AzureError
from sandbox.azure.identity.graph.objects import SETS, EntitySet, any_object, objects, reference
from sandbox.azure.identity.graph.query import Document, bad_request, not_found

MOST_CHECKED = 20  # groups of one checkMemberGroups


def related(cloud: Cloud, entity: Document, name: str) -> list[Document]:
    """The members or owners, with their types."""
    return list(objects(cloud, entity.get(name, [])))


def transitive_members(cloud: Cloud, group: Document) -> list[Document]:
    """The members and the members of nested groups, each once."""
    members: dict[str, Document] = {}
    waiting = list(group["members"])
    while waiting:
        name = waiting.pop()
        if name in members:
            continue
        for member in objects(cloud, [name]):
            members[name] = member
            waiting += member.get("members", [])
    return list(members.values())


def owned(cloud: Cloud, entity: Document) -> list[Document]:
    """The groups, applications and service principals that the object owns, with their types."""
    return [
        {"@odata.type": entities.odata_type, **other}
        for entities in SETS.values()
        for other in cloud.store.list(entities.kind)
        if entity["id"] in other.get("owners", ())
    ]


def add(cloud: Cloud, entities: EntitySet, entity: Document, name: str, body: Document) -> None:
    """Adds one member or owner: `{"@odata.id": address}`.

    Raises:
        AzureError: 400 where it is one already, 404 where there is no such object.
    """
    other = reference(body.get("@odata.id"))
    any_object(cloud, other)
    if other in entity[name]:
        raise bad_request(
            f"One or more added object references already exist for the following modified properties: '{name}'."
        )
    cloud.store.put(entities.kind, entity["id"], {**entity, name: [*entity[name], other]})


def remove(cloud: Cloud, entities: EntitySet, entity: Document, name: str, other: str) -> None:
    """Removes one member or owner.

    Raises:
        AzureError: 404 where it is none, 400 for the last owner of a group.
    """
    if other.lower() not in entity.get(name, ()):
        raise not_found(other)
    left = [reference for reference in entity[name] if reference != other.lower()]
    cloud.store.put(entities.kind, entity["id"], {**entity, name: left})


def member_of(cloud: Cloud, entity: Document, *, transitive: bool) -> list[Document]:
    """The groups that the object is in: directly, or also through other groups."""
    ids = cloud.access.principals(entity["id"]) - {entity["id"]}
    groups = list(objects(cloud, sorted(ids)))
    return groups if transitive else [group for group in groups if entity["id"] in group["members"]]


def check_member_groups(cloud: Cloud, entity: Document, body: Document) -> list[str]:
    """The groups of the body that the object is in.

    Raises:
        AzureError: 400.
    """
    asked = body.get("groupIds")
    if not isinstance(asked, list) or len(asked) > MOST_CHECKED:
        raise AzureError(400, "Request_BadRequest", f"'groupIds' must be a list of at most {MOST_CHECKED} ids.")
    inside = {group["id"] for group in member_of(cloud, entity, transitive=True)}
    return [group_id for group_id in asked if str(group_id).lower() in inside]
