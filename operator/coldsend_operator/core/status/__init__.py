"""From a workspace to the status of an account."""
