"""The public API: the documented endpoints."""
