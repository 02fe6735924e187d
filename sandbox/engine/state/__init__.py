"""Pulumi's state: resources, checkpoint, file backend, journal and secrets."""
