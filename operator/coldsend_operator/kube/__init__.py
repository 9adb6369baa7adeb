"""The client of Kubernetes: apart from kopf's watches, only this package talks to the API server."""
