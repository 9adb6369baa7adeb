"""`status`, `tree` and `wait`: the current state, from objects and the operator's state only."""
