"""The tests, one folder a room of the house."""
