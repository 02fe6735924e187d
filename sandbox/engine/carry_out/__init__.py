"""Carries an operation out: runs the program, answers its SDK, and runs steps with providers, hooks and policies."""
