"""A spreadsheet saved as text: from bytes to one checked mailbox a row."""
