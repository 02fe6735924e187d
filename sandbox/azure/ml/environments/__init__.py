"""What an environment asks for, whichever way it is described: conda file, requirements, Dockerfile, curated name."""
