"""SenderAccountBatch: its controller, the index of children, writes to them, reports."""
