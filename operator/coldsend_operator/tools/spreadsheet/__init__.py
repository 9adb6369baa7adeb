"""Spreadsheets saved as text: from bytes to one validated mailbox per row."""
