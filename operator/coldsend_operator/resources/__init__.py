"""The custom resources: spec, status, and the validation at `kubectl apply`."""
