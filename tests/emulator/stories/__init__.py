"""What a client can do to see an open point: each story does something and returns what it saw."""
