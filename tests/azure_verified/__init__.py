"""Behaviours that can be verified in a real subscription: `make verify-azure`. `make test` runs them in the sandbox."""
