"""Compute clusters and compute instances."""
