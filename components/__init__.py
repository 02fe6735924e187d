"""Pulumi components that build Azure Machine Learning workspaces and what belongs to them. Each can be used alone."""
