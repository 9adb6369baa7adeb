"""`pause`, `reconcile` and other actions: each shows the objects, then sets an annotation or a field."""
