"""Packages that the project takes: their licences, known vulnerabilities, and that only pinned ones get in."""
