"""Kubernetes operator for e-mail sender inboxes of the ColdSend public API."""

__version__ = "0.1.0"
