"""Tests with the real `pulumi`, where there is one: the sandbox's stand-ins as its plugins, and the engine's oracle."""
