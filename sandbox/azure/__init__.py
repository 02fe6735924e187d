"""The local Azure: one gateway that answers for Azure's host names, and the services behind it.

`front` has the gateway and what all services share of HTTP: requests, routing, refusals. `services` lists the hosts
and the service of each; `cloud` holds what the services share. The services are `identity` (sign-in, directory, role
assignments), `arm` (resource manager, one module a family of types), `storage` (Blob and Data Lake), `keyvault`, `ml`
(workspace data plane and the runner) and `prices`. `store` keeps everything in SQLite; `privatelink` decides which
network reaches which resource. No Pulumi in here.
"""
