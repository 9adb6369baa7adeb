"""Paths in the checkout."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent
CACHE = CHECKOUT / ".cache"
