"""Microsoft Graph v1.0: graph.microsoft.com, as far as access to Azure needs the directory.

`query` has Graph's error bodies, `$filter`, `$select` and pages; `directory` finds, makes and removes users, groups,
applications and service principals; `relations` are members, owners and what somebody is in; `credentials` are secrets
and federated identities; `app` is the table of paths.
"""

from sandbox.azure.graph.app import app

__all__ = ["app"]
