"""Digests: workspaces, specs and credentials leave the process as digests only."""

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


def credentials_digest(hmac_key: bytes, salt: str, values: tuple[str, ...]) -> str:
    """HMAC of the salt and of the values in their order.

    With a bare hash in status, readers could guess passwords. Without a salt per object they could do so with an object
    of their own, and see who shares a password (rule 44).
    """
    parts = [text.encode() for text in (salt, *values)]
    body = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(hmac_key, body, hashlib.sha256).hexdigest()[:32]


def salt_of(uid: str) -> str:
    """The salt of an object's digests, which another object that takes over its inbox keeps."""
    return hashlib.sha256(uid.encode()).hexdigest()[:16]


def comparable(one: str, other: str) -> bool:
    """Whether two digests of credentials (`<made with>-<HMAC>`) were made with the same key and salt.

    Otherwise their difference tells nothing about the passwords.
    """
    return one.rpartition("-")[0] == other.rpartition("-")[0]


def _short(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
