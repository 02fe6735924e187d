"""The sandbox: a local Azure and an embedded Pulumi engine, to run the whole platform on one machine.

`azure/` answers for Azure's host names, `providers/` turns resources into the requests that azure-native and azuread
send, `engine/` runs a Pulumi program where the `pulumi` command is absent. `python -m sandbox` is the door.
"""
