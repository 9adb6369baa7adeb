"""API keys with their workspace and scopes. Only digests of keys are stored."""

import hashlib
from dataclasses import dataclass

from coldsend_emulator import operations
from coldsend_emulator.switches import Switches


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(slots=True)
class Key:
    name: str  # the first 12 characters of the digest
    workspace: str
    scopes: tuple[str, ...] = (operations.EVERYTHING,)
    revoked: bool = False

    def allows(self, scope: str | None) -> bool:
        if scope is None or operations.EVERYTHING in self.scopes or scope in self.scopes:
            return True
        return scope.startswith("sender_accounts:") and operations.ALL in self.scopes


class KeyRing:
    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}

    def add(self, secret: str, workspace: str, scopes: tuple[str, ...]) -> Key:
        full = digest(secret)
        self._keys[full] = Key(full[:12], workspace, scopes)
        return self._keys[full]

    def find(self, secret: str | None) -> Key | None:
        return self._keys.get(digest(secret)) if secret else None

    def all(self) -> list[Key]:
        return list(self._keys.values())


def required_scope(operation: operations.Operation, switches: Switches) -> str | None:
    """The scope that an operation requires; None if any key will do."""
    if operation.scope == operations.DOMAIN:
        return {"none": None, "read": operations.READ, "domains": "domains:read"}[switches.choice("domain_scope")]
    if operation.scope == operations.TEST_EMAIL:
        allowed = {"read": operations.READ, "create": operations.CREATE, "all": operations.ALL, "none": None}
        return allowed[switches.choice("test_email_scope")]
    if operation.scope in {operations.PROGRESS_OF_CREATE, operations.PROGRESS_OF_DELETE}:
        start = operations.CREATE if operation.scope == operations.PROGRESS_OF_CREATE else operations.DELETE
        return {"read": operations.READ, "as_start": start, "none": None}[switches.choice("progress_scope")]
    return operation.scope
