"""Shell completion: of commands, options and their words, and of names of the cluster."""
