"""API keys, passwords, and the watch over Secrets."""
