"""API keys: the operator's own, and those of `apiKeySecretRef`. Outside, only their digests are known."""

import asyncio
from collections import Counter
from collections.abc import Callable, Set
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from coldsend_operator.core.model.desired import KeyRef, SecretRef
from coldsend_operator.core.model.hashes import workspace_digest
from coldsend_operator.core.model.pauses import doubled
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.credentials.secret_values import Problem, value_of
from coldsend_operator.kube.errors import Forbidden, KubeError
from coldsend_operator.kube.secrets import ReadSecret, SecretContent
from coldsend_operator.logs import mask
from coldsend_operator.resources.values import api_key_fault, api_key_of
from coldsend_operator.settings import Settings

FAILURES = 5  # failures of the API server in a row before the objects of the reference report it
MISSING_FIRST, MISSING_LONGEST = 1.0, 15.0
REFUSED_SECONDS = 10.0
MAX_KEYS = 20  # maximum keys per namespace
FILE_SECONDS = 2.0


@dataclass(slots=True)
class KeyState:
    """The state of one key. `digest` None and no `problem`: not read yet."""

    digest: str | None = None
    problem: Problem | None = None
    read_at: float = 0.0
    due: float = 0.0
    tries: int = 0
    failures: int = 0  # of the API server in a row


NO_KEY = (
    Reason.UNAUTHORIZED,
    "The operator has no API key of its own; set spec.apiKeySecretRef, or COLDSEND_API_KEY_FILE of the operator.",
)
NOT_FOR_NAMESPACE = (
    Reason.UNAUTHORIZED,
    (
        "This namespace may not use the operator's API key; set spec.apiKeySecretRef, or ask the administrator "
        "(COLDSEND_OPERATOR_KEY_NAMESPACES)."
    ),
)
TOO_MANY = (
    Reason.UNAUTHORIZED,
    (
        f"The objects of this namespace name more than {MAX_KEYS} API keys; let them share Secrets in "
        "spec.apiKeySecretRef, or delete those that are not needed. The operator continues automatically."
    ),
)
MADE_UP = (
    Reason.SECRET_INVALID,
    "The API key of spec.apiKeySecretRef is not used: its digest equals that of another key. Create a new one.",
)


class KeyRing:
    """Reads keys, and keeps the current digest of each reference."""

    def __init__(self, settings: Settings, read_secret: ReadSecret, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._read_secret = read_secret
        self._clock = clock
        self._states: dict[KeyRef, KeyState] = {}
        self.keys: dict[str, SecretStr] = {}  # by digest; a replaced one stays while inboxes need it

    def admit(self, ref: KeyRef, *, held: bool) -> KeyState:
        """Start to use the key of an account; TOO_MANY if the namespace uses too many (rule 43).

        `held`: the account holds an inbox, so its key has worked.
        """
        state = self._states.get(ref)
        if state is None:
            others = sum(other.namespace == ref.namespace for other in self._states)
            if ref.secret is not None and not held and others >= MAX_KEYS:
                return KeyState(problem=TOO_MANY)
            state = self._states[ref] = KeyState()
        return state

    def drop_over_limit(self, needed: Set[KeyRef]) -> list[KeyRef]:
        """Keep at most MAX_KEYS keys of a namespace, besides those needed. Returns the dropped ones (rule 43)."""
        counts = Counter(ref.namespace for ref in self._states)
        dropped = []
        for ref in reversed(list(self._states)):
            if ref.secret is not None and ref not in needed and counts[ref.namespace] > MAX_KEYS:
                counts[ref.namespace] -= 1
                del self._states[ref]
                dropped.append(ref)
        return dropped

    def state(self, ref: KeyRef) -> KeyState:
        """The state of a key; empty if it is not in use."""
        return self._states.get(ref) or KeyState()

    def forget(self, refs: set[KeyRef]) -> frozenset[str]:
        """Keep only these references. Returns the namespaces that may use others instead."""
        unused = [ref for ref in self._states if ref not in refs]
        for ref in unused:
            del self._states[ref]
        return frozenset(ref.namespace for ref in unused)

    def forget_keys(self, digests: Set[str]) -> None:
        """Of keys without a reference keep only these, which deletions may need."""
        used = {state.digest for state in self._states.values()}
        for digest in [digest for digest in self.keys if digest not in used and digest not in digests]:
            del self.keys[digest]

    def next_due(self) -> float | None:
        return min((state.due for state in self._states.values()), default=None)

    def hasten(self, ref: KeyRef) -> None:
        """Read it again now, but not more often than a missing one."""
        state = self._states.get(ref) or KeyState()
        state.due = min(state.due, state.read_at + MISSING_FIRST)

    def hasten_refused(self, digests: frozenset[str]) -> None:
        """ColdSend refuses these keys: read them more often, as somebody may correct them."""
        for state in self._states.values():
            if state.digest in digests:
                state.due = min(state.due, state.read_at + REFUSED_SECONDS)

    async def refresh(self) -> list[KeyRef]:
        """Read every key that is due. Returns the references whose key or problem changed."""
        due = [(ref, state) for ref, state in self._states.items() if state.due <= self._clock()]
        before = [(state.digest, state.problem) for _, state in due]
        await asyncio.gather(*(self._read(ref, state) for ref, state in due))  # a hanging read does not delay others
        after = [(state.digest, state.problem) for _, state in due]
        return [ref for (ref, _), was, now in zip(due, before, after, strict=True) if was != now]

    async def _read(self, ref: KeyRef, state: KeyState) -> None:
        state.read_at = self._clock()
        found = self._own() if ref.secret is None else await self._of_secret(ref.namespace, ref.secret, state)
        if found is None:
            return
        if isinstance(found, SecretStr) and self._is_made_up(ref, found):
            found, state.digest = MADE_UP, None
        if isinstance(found, SecretStr):
            mask(found)
            state.digest, state.problem, state.tries = workspace_digest(found.get_secret_value()), None, 0
            self.keys[state.digest] = found
            state.due = self._clock() + (FILE_SECONDS if ref.secret is None else self._settings.secret_check_seconds)
            return
        state.problem = found  # the digest stays: deletions continue with the last key
        longest = min(MISSING_LONGEST, self._settings.secret_check_seconds)
        state.due = self._clock() + doubled(MISSING_FIRST, state.tries, longest)
        state.tries += 1

    def _is_made_up(self, ref: KeyRef, key: SecretStr) -> bool:
        """Whether the key has the digest of another one, so that calls would use that one (rule 14: one trust domain).

        Digests are short and shown in status, so such a text can be computed. No two real keys have the same digest.
        """
        if ref.secret is None:
            return False
        digest, own = workspace_digest(key.get_secret_value()), self._own()
        if isinstance(own, SecretStr) and own != key and workspace_digest(own.get_secret_value()) == digest:
            return True
        return self.keys.get(digest, key) != key

    def _own(self) -> SecretStr | Problem:
        if self._settings.api_key is not None:
            return self._settings.api_key
        path = self._settings.api_key_file
        if path is None:
            return NO_KEY
        text = _read_file(path)
        if not text:
            message = f"The file of the operator's API key ({path.name}) is missing or empty; write the key to it."
            return (Reason.UNAUTHORIZED, message)
        fault = api_key_fault(text)
        if fault:
            return (Reason.UNAUTHORIZED, f"The file of the operator's API key ({path.name}) {fault}.")
        return SecretStr(text)

    async def _of_secret(self, namespace: str, ref: SecretRef, state: KeyState) -> SecretStr | Problem | None:
        """None while the API server fails and that is not to be reported: then it is due again."""
        content: SecretContent | KubeError | None
        try:
            content = await self._read_secret(namespace, ref.name)
        except KubeError as error:
            content = error
        if not isinstance(content, KubeError) or isinstance(content, Forbidden):
            state.failures = 0
        else:
            state.failures += 1
            if state.digest is not None:  # the last key stays in use
                state.due = self._clock() + doubled(MISSING_FIRST, state.failures, MISSING_LONGEST)
                return None
            if state.failures < FAILURES:
                state.due = self._clock() + MISSING_FIRST
                return None
        return value_of(content, ref, "spec.apiKeySecretRef", sent=api_key_of, fault=api_key_fault)


def _read_file(path: Path) -> str:
    try:
        return api_key_of(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
