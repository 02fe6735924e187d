"""The studio, as a browser and as an HTTP client see it."""
