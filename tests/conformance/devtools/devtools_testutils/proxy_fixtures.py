"""Values that a recording would keep."""


class VariableRecorder:
    """Gives each test the value that it made."""

    def get_or_record(self, variable: str, default: str) -> str:
        """The value for this run."""
        del variable
        return default
