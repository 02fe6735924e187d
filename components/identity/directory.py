"""People and groups of the tenant, each looked up once."""

from functools import cache

import pulumi
import pulumi_azuread as azuread

from components.identity.principals import Principal
from components.retries import lookup


class Directory:
    """Turns names of people and groups into principals with object ids.

    Somebody who is in several teams and lists costs one request. An unknown name fails the preview with the
    provider's message, which has the name.
    """

    def __init__(self, provider: pulumi.ProviderResource | None = None) -> None:
        self._options = pulumi.InvokeOptions(provider=provider)
        self.user = cache(self._user)
        self.group = cache(self._group)

    def _user(self, user_principal_name: str) -> Principal:
        user = lookup(lambda: azuread.get_user_output(user_principal_name=user_principal_name, opts=self._options))
        return Principal(user_principal_name, user.object_id, "User")

    def _group(self, display_name: str) -> Principal:
        group = lookup(
            lambda: azuread.get_group_output(display_name=display_name, security_enabled=True, opts=self._options)
        )
        return Principal(display_name, group.object_id, "Group")
