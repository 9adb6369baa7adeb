"""`import`: from the mailboxes of a sheet to batches, accounts and the Secrets beside them."""
