"""`make bench`: figures beside their goals, measured on a real API server and the emulator."""
