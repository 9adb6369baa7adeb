"""The control API under /_emulator/, without keys and limits; README.md lists its calls."""
