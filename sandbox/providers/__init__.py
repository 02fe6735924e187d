"""Stand-ins for Pulumi's azure-native and azuread providers, which do as those do and no better.

They turn a resource into the requests that the real ones send, over HTTPS to the real host names; the environment's
proxy decides whether Azure or the local one answers. `azure_native` and `azuread` are the providers, called in process
by the embedded engine or served as plugins of the real `pulumi` by `plugins`. Of what azure-native knows, `resources`
is the table of types, `schema.json` their shapes as the SDK has them (read by `sdk`), `check`, `diff` and `convert` the
pure rules, `arm` the resource manager's protocol. Both share `values`, `http` and `provider`.
"""
