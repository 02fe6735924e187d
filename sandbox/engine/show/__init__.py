"""Shows the user what an operation does."""
