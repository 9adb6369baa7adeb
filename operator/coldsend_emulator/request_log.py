"""The log of all requests to the public API, without bodies and keys."""

import json
from collections import Counter, deque
from dataclasses import dataclass

from coldsend_emulator.connections import Client

KEPT = 200_000


@dataclass(frozen=True, slots=True)
class LogEntry:
    at: float  # Unix seconds
    operation: str
    method: str
    path: str
    query: str
    status: int | None  # None: the connection was cut
    workspace: str | None
    key: str | None
    seconds: float
    fault: str | None
    items: tuple[str, ...] = ()  # of a write: addresses, prefixes of native inboxes, or ids, in order


def items_of(method: str, path: str, body: bytes) -> tuple[str, ...]:
    """The inboxes that a request writes; empty for reads and for unreadable bodies."""
    if method == "DELETE":
        return (path.rpartition("/")[2],)
    if method != "POST":
        return ()
    if path.endswith("/test-email"):
        return (path.split("/")[-2],)
    try:
        sent = json.loads(body)
    except ValueError:
        return ()
    if not isinstance(sent, dict):
        return ()
    if isinstance(ids := sent.get("inbox_ids"), list):
        return tuple(map(str, ids))
    inboxes = sent.get("inboxes", [sent])
    found = (each for each in inboxes if isinstance(each, dict)) if isinstance(inboxes, list) else ()
    names = (each.get("email_address", each.get("email_prefix")) for each in found)
    return tuple(str(name) for name in names if name)


class Peak:
    """The largest number of requests in any period of this length."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.highest = 0
        self._stamps: deque[float] = deque()

    def count(self, now: float) -> None:
        self._stamps.append(now)
        while self._stamps[0] <= now - self.seconds:
            self._stamps.popleft()
        self.highest = max(self.highest, len(self._stamps))


class RequestLog:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.entries: deque[LogEntry] = deque(maxlen=KEPT)
        self.total = 0
        self.by_operation: Counter[str] = Counter()
        self.by_method: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.by_operation_and_status: Counter[str] = Counter()
        self.peaks: dict[str, tuple[Peak, Peak]] = {}
        self.clients: set[Client] = set()  # one for each connection

    def arrived(self, pool: str, client: Client, now: float) -> None:
        """Count a request on arrival, even if it is refused later."""
        self.clients.add(client)
        peaks = self.peaks.get(pool)
        if peaks is None:
            peaks = self.peaks[pool] = (Peak(60), Peak(3600))
        for peak in peaks:
            peak.count(now)

    def answered(self, entry: LogEntry) -> None:
        status = "cut" if entry.status is None else str(entry.status)
        self.entries.append(entry)
        self.total += 1
        self.by_operation[entry.operation] += 1
        self.by_method[entry.method] += 1
        self.by_status[status] += 1
        self.by_operation_and_status[f"{entry.operation} {status}"] += 1
