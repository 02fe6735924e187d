"""Storage accounts, datastores, and encryption with a key of the customer's own."""
