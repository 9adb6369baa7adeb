"""Kills the operator at random instants while people create and delete objects (`make soak`)."""
