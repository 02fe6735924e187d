"""Rules about whole stacks, a module a subject. Each has a tuple `RULES`."""
