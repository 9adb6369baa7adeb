"""`make demo`: the operator with a real API server and the ColdSend emulator."""
