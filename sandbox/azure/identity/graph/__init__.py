"""Microsoft Graph: graph.microsoft.com, as far as access to Azure needs the directory.

`query` has Graph's error bodies, `$filter`, `$select` and pages; `objects` finds, makes and removes users, groups,
applications and service principals; `relations` has members, owners and the groups of a principal; `credentials` has
secrets and federated identities; `app` is the service with its table of paths.
"""
