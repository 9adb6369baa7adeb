"""Children that live Batches list but that do not exist yet; objects in deletion hand inboxes to them (rule 30)."""

Name = tuple[str, str]
"""Namespace and name of a child."""


class AwaitedChildren:
    """By namespace, and by identity: the type and the address or prefix of an inbox, as `Spec.identity` has it."""

    def __init__(self) -> None:
        self._identities: dict[Name, str] = {}
        self._names: dict[tuple[str, str], set[str]] = {}

    def put(self, namespace: str, name: str, identity: str | None) -> bool:
        """Set the identity of an awaited child; None: it exists, or no batch lists it. Returns whether that is new."""
        before = self._identities.get((namespace, name))
        if before == identity:
            return False
        if before is not None:
            names = self._names[namespace, before]
            names.discard(name)
            if not names:
                del self._names[namespace, before]
            del self._identities[namespace, name]
        if identity is not None:
            self._identities[namespace, name] = identity
            self._names.setdefault((namespace, identity), set()).add(name)
        return True

    def child(self, namespace: str, identity: str) -> str | None:
        """The name of the awaited child for such an inbox."""
        return min(self._names.get((namespace, identity), ()), default=None)
