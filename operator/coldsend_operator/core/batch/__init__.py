"""SenderAccountBatch: what is known, decided, counted and said of one."""
