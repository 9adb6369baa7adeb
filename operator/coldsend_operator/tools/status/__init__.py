"""`status`, `tree` and `wait`: what is going on, from objects and the operator's state alone."""
