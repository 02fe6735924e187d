"""The words and signs for each kind of step."""

PREFIXES = {
    "same": "  ", "create": "+ ", "update": "~ ", "delete": "- ", "replace": "+-", "create-replacement": "++",
    "delete-replaced": "--", "read": "> ", "read-replacement": ">>", "refresh": "~ ", "discard": "< ",
    "discard-replaced": "<<", "import": "= ", "import-replacement": "=>", "remove-pending-replace": "~ ",
}  # fmt: skip


COLORS = {"+": "green", "~": "yellow", "-": "red", ">": "cyan", "<": "cyan", "=": "blue", " ": "default"}


DOING = {
    "create": "creating", "update": "updating", "delete": "deleting", "replace": "replacing",
    "create-replacement": "creating replacement", "delete-replaced": "deleting original", "read": "reading",
    "read-replacement": "reading for replacement", "refresh": "refreshing", "discard": "discarding",
    "discard-replaced": "discarding original", "import": "importing", "import-replacement": "importing replacement",
}  # fmt: skip


DONE = {
    "create": "created", "update": "updated", "delete": "deleted", "replace": "replaced",
    "create-replacement": "created replacement", "delete-replaced": "deleted original", "read": "read",
    "read-replacement": "read for replacement", "refresh": "refreshed", "discard": "discarded",
    "discard-replaced": "discarded original", "import": "imported", "import-replacement": "imported replacement",
}  # fmt: skip


PLANNED = {
    "create-replacement": "create replacement",
    "delete-replaced": "delete original",
    "discard-replaced": "discard original",
    "read-replacement": "read for replacement",
    "import-replacement": "import replacement",
}
SHOWN_AS = {
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "read-replacement": "replace",
    "discard-replaced": "replace",
}


TITLES = {"preview": "update", "up": "update", "refresh": "refresh", "destroy": "destroy", "import": "import"}


GOING = {"up": "Updating", "refresh": "Refreshing", "destroy": "Destroying", "import": "Importing"}


def display_name(type_: str) -> str:
    """A type token as Pulumi shows it: `azuread:index/group:Group` is `azuread:index:Group`."""
    parts = type_.split(":")
    if len(parts) == 3:  # noqa: PLR2004 (package, module, type)
        module, _, rest = parts[1].partition("/")
        if rest and rest.lower() == parts[2].lower():
            parts[1] = module
    return ":".join(parts)
