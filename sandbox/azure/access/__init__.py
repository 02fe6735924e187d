"""A caller's rights: tokens, role assignments with their conditions (`rbac`), and the users of the seed (`tenant`).

Every service asks this package. `identity` has the services that sign callers in and keep the directory.
"""
