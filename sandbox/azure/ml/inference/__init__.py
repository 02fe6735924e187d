"""What answers at ENDPOINT.REGION.inference.ml.azure.com."""
