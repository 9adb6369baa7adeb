"""SenderAccountBatch: model, decisions, counts and status of one batch."""
