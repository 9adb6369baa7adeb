"""`make demo`: the operator at work on a real API server, with ColdSend played by the emulator."""
