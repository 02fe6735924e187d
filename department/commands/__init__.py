"""The subcommands of `python -m department`; each loads what it needs when it runs."""
