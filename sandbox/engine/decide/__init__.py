"""Decides what has to happen to each resource, as Pulumi's step generator does."""
