"""An emulator of the ColdSend public API over HTTP, for demos and tests.

It follows the public documentation of the API; each point that the documentation leaves open is a switch (switches.py).
"""
