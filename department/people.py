"""From the people that the settings name to principals."""

from components.identity.directory import Directory
from components.identity.principals import Principal
from settings import Member


def principal(directory: Directory, member: Member) -> Principal:
    """The user or group that an entry of the settings names."""
    return directory.user(member.user) if member.user else directory.group(str(member.group))
