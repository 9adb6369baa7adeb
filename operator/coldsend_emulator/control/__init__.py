"""The control side under /_emulator/: no key, no limits; README.md has the table of calls."""
