"""The create mark: a finalizer that says since when the outcome of a create of ours is unknown (rule 39).

Whoever may edit an object may add finalizers to it, so a mark carries a MAC with the operator's HMAC key over the
object's UID and the time. It is added and removed in the same writes as the plain finalizer, which only says that the
operator must clean up before the object goes.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable

PREFIX = "coldsend.pro/creating."
CONTEXT = b"coldsend-operator create mark v1\x00"  # no digest of a password is ever a mark
_MARK = re.compile(re.escape(PREFIX) + r"([0-9]{1,12})\.([0-9a-f]{24})")


def is_mark(finalizer: str) -> bool:
    """Whether a finalizer has the form of a mark, forged or not."""
    return finalizer.startswith(PREFIX)


class CreateMarks:
    """Writes and checks marks. Without a key (it is not loaded yet) no mark is valid."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key

    def text(self, uid: str, since: float) -> str:
        """The finalizer for a create that leaves at `since`, in whole Unix seconds of the API server's clock."""
        if self._key is None:
            raise RuntimeError("nothing is marked before the HMAC key is loaded")
        time = str(int(since))
        body = CONTEXT + uid.encode() + b"\x00" + time.encode()
        return f"{PREFIX}{time}.{hmac.new(self._key, body, hashlib.sha256).hexdigest()[:24]}"

    def texts(self, uid: str, since: float, repeated: float | None) -> tuple[str, ...]:
        """The finalizers for a create that leaves at `since` and repeats a lost one, if any, with that mark."""
        return tuple(self.text(uid, time) for time in sorted({since, since if repeated is None else repeated}))

    def times(self, uid: str, finalizers: Iterable[str]) -> list[float]:
        """The times of the valid marks, oldest first."""
        return sorted(time for finalizer in finalizers if (time := self._time(uid, finalizer)) is not None)

    def _time(self, uid: str, finalizer: str) -> float | None:
        found = _MARK.fullmatch(finalizer)
        if found is None or self._key is None:
            return None
        since = float(found[1])
        return since if hmac.compare_digest(self.text(uid, since).encode(), finalizer.encode()) else None
