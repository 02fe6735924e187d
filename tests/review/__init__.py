"""The review of a pull request."""
