"""The only way to Kubernetes: nothing outside this package speaks to the API server, kopf's watches aside."""
