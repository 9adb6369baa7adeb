"""Fingerprints: workspaces, specs and credentials appear outside the process as digests only (settled.md)."""

import hashlib
import hmac
import json
from typing import Any

WORKSPACE_CONTEXT = b"coldsend-operator workspace v1\x00"


def workspace_digest(api_key: str) -> str:
    """12 hexadecimal characters that name the workspace of a key."""
    return hashlib.sha256(WORKSPACE_CONTEXT + api_key.encode()).hexdigest()[:12]


def spec_hash(visible: dict[str, Any], hidden: dict[str, Any]) -> str:
    """`<visible>.<hidden>`: what ColdSend shows again (name, limit), and what it never shows (servers)."""
    return f"{_short(visible)}.{_short(hidden)}"


def hidden_part(digest: str | None) -> str:
    return digest.partition(".")[2] if digest else ""


def visible_part(digest: str | None) -> str:
    return digest.partition(".")[0] if digest else ""


def credentials_digest(hmac_key: bytes, values: tuple[str, ...]) -> str:
    """HMAC of the values in their order: a bare hash in a status would let readers guess passwords."""
    body = b"".join(len(value.encode()).to_bytes(4, "big") + value.encode() for value in values)
    return hmac.new(hmac_key, body, hashlib.sha256).hexdigest()[:32]


def _short(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
