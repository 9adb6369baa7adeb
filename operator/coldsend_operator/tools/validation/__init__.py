"""`validate` and `schemas`: validation of manifests without an API server."""
