"""Facts about Azure as data: VM sizes, prices, regions, built-in roles and the names that Azure accepts."""
