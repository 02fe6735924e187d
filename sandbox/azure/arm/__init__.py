"""Azure Resource Manager: management.azure.com.

`core` parses a request, checks token, api-version, role assignments and locks, and stores resources; a module a
resource provider (`storage`, `keyvault`, `machinelearning`, ...) says in `ResourceType`s what its types refuse and add.
"""
