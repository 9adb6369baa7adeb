"""Makes releases: `python -m release`."""
