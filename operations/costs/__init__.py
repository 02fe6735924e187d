"""What a department's compute costs, and where the prices come from."""
