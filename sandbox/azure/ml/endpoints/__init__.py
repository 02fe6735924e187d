"""Endpoints of a workspace: what they and their deployments are in the resource manager, and who may call them.

`hostnames` keeps the names, which are unique in a region; `online/` is for requests that are answered at once. The
service that answers at inference.ml.azure.com is `inference`; the processes behind it are the runner's.
"""
