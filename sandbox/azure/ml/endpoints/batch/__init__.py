"""Batch endpoints: their types in the resource manager, and the pipeline job that a call of one becomes."""
