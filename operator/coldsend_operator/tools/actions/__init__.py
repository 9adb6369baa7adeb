"""`pause`, `reconcile` and so on: each sets the annotation or field that says so, after showing the objects."""
