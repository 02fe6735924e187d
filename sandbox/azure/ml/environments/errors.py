"""Why an environment cannot be built here."""


class SpecificationError(Exception):
    """Its description is not valid, or asks for what the sandbox cannot do; the message is for its author."""
