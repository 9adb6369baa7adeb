"""The operator as a process: the order of start and stop, the caches, namespaces, CRDs, metrics."""
