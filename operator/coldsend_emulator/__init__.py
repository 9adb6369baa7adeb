"""The ColdSend public API over HTTP, for demos and tests.

Written from coldsend-api/contract.md alone. Whatever the contract leaves open stands behind a switch (switches.py).
"""
