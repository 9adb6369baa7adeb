"""The operator is killed at random instants while people make and delete; `make soak` does so for a long time."""
