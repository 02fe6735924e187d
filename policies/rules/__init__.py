"""Rules about single resources, a module a family. Each has a tuple `RULES`."""
