"""For who runs a department: what it costs, whether the quota holds it, and what deleted resources block."""
