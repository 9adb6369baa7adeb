"""The public side: the endpoints of the contract."""
