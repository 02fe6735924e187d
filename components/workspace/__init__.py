"""A team's workspace, what teams share, and the registry of models."""
