"""`inventory`: whose is what, and how the inboxes are."""
