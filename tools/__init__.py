"""The repository's own tools: `python -m tools --help`. Nothing of the product imports them."""
