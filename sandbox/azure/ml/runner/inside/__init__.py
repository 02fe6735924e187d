"""What runs inside a deployment's environment, in its Python: with the standard library and what is installed there."""
