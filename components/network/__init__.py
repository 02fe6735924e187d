"""How resources are reached."""
