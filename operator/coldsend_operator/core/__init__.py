"""The decisions of the product as pure functions and records: no I/O, no clock, no chance."""
