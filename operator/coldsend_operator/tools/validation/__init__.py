"""`validate` and `schemas`: what the API server would say of a manifest, without one."""
