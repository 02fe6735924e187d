"""Pulumi's command line."""
