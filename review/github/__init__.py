"""What workflows of GitHub do with reviews and drift.

It runs with rights, so it trusts nothing that a pull request made.
"""
