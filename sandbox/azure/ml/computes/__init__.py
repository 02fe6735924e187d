"""Computes: clusters whose nodes come and go, and instances."""
