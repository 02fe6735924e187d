"""The local Azure: one gateway that answers for Azure's host names, and the services behind it.

`gateway` accepts connections and picks the service by host; `cloud` holds what they share. A service is a module (or
folder) with an `app(cloud)`: `entra` (tokens), `graph` (directory), `arm` (resource manager, one module a family of
types), `storage` (blob and DFS), `keyvault`, `ml` (workspace data plane and the runner). `store` keeps everything in
SQLite, `rbac` decides who may do what, `errors` has Azure's error bodies. No Pulumi in here.
"""
