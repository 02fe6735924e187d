"""Storage's data plane, through the gateway, by Azure's own clients where they can ask for it."""
