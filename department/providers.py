"""The provider of Entra, where a stack forbids default providers."""

import json

import pulumi
import pulumi_azuread as azuread


def directory_provider() -> pulumi.ProviderResource | None:
    """An explicit azuread provider if `pulumi:disable-default-providers` names azuread or `*`; else None.

    Stacks that have groups and service principals by the default provider keep it: Pulumi replaces a resource whose
    provider is no longer a default one, and an application's client id would change.
    """
    denied = pulumi.Config("pulumi").get("disable-default-providers")
    try:
        names = {str(name).strip() for name in json.loads(denied or "[]")}
    except (ValueError, TypeError):
        return None  # the engine tells what is wrong with the list
    return azuread.Provider("azuread") if names & {"*", "azuread"} else None
