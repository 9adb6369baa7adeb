"""`export`: from the inboxes of a workspace to manifests."""
