"""People, groups, service principals and their roles."""
