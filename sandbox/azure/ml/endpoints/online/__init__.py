"""Online endpoints and their managed deployments, as the resource manager has them."""
