"""`inventory`: every inbox with its object and its state."""
