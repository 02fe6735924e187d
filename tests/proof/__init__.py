"""Proof that does not come from the project itself.

Component, stand-in provider and local Azure were written by the same hands, so that they can agree with one another
and be wrong. Here they are held to what others wrote: Microsoft's own models, and azure-native's documented rules.
"""
