"""How the tests run."""


def is_live() -> bool:
    """Whether a service answers."""
    return True


def is_live_and_not_recording() -> bool:
    """Whether a service answers and nothing is recorded."""
    return True
