"""The provider host: provider instances, in process or as plugins, and the engine's own package `pulumi`."""
