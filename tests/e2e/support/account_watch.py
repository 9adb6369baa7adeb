"""Every state of every SenderAccount, recorded by a watch, so that waiting costs no requests."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.e2e.support.api_server import GROUP, ApiServer, Object, Refused

PATH = f"{GROUP}/senderaccounts"
WATCH_SECONDS = 3  # how long an end of the watch may take
PATIENCE = 150.0  # seconds that a state may be late on a loaded machine


class AccountWatch:
    def __init__(self, server: ApiServer, marker: str) -> None:
        self._server = server
        self._marker = marker
        self._changed = threading.Condition()
        self._now: dict[tuple[str, str], Object] = {}
        self._states: dict[tuple[str, str], list[Object]] = defaultdict(list)
        self._version = ""
        self._stopped = threading.Event()
        self.leaks: list[str] = []  # objects that showed the marker of a secret

    def now(self, namespace: str, name: str) -> Object | None:
        with self._changed:
            return self._now.get((namespace, name))

    def states(self, namespace: str, name: str) -> list[Object]:
        """All states of the object and of earlier objects of this name, oldest first."""
        with self._changed:
            return list(self._states[namespace, name])

    def wait(
        self, namespace: str, name: str, good: Callable[[Object | None], bool], seconds: float = PATIENCE
    ) -> Object | None:
        """Wait until the object is `good`, else raise TimeoutError. None stands for a missing object."""
        until = time.monotonic() + seconds
        with self._changed:
            while not good(found := self._now.get((namespace, name))):
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise TimeoutError(json.dumps(found and found.get("status"), indent=1))
            return found

    # The watch

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                if not self._version:
                    self._list()
                self._watch()
            except (httpx.TransportError, Refused, json.JSONDecodeError):  # also a line that was cut
                self._stopped.wait(0.2)

    def stop(self) -> None:
        self._stopped.set()

    def _list(self) -> None:
        found = self._server.ask("GET", PATH)
        self._version = found["metadata"]["resourceVersion"]
        with self._changed:
            self._now = {_key(item): item for item in found["items"]}
            self._changed.notify_all()

    def _watch(self) -> None:
        query = {"watch": "1", "resourceVersion": self._version, "timeoutSeconds": str(WATCH_SECONDS)}
        with self._server.http.stream("GET", PATH, params=query) as answer:
            for line in answer.iter_lines():
                self._take(line)

    def _take(self, line: str) -> None:
        event: dict[str, Any] = json.loads(line)
        if event.get("type") in {None, "ERROR"}:  # without a type it is the Status of a watch that was refused
            self._version = ""
            return
        shown = event["object"]
        if self._marker in line:
            self.leaks.append(line)
        self._version = shown["metadata"]["resourceVersion"]
        with self._changed:
            if event["type"] == "DELETED":
                self._now.pop(_key(shown), None)
            else:
                self._now[_key(shown)] = shown
                self._states[_key(shown)].append(shown)
            self._changed.notify_all()


@contextmanager
def watching(server: ApiServer, marker: str) -> Iterator[AccountWatch]:
    found = AccountWatch(server, marker)
    thread = threading.Thread(target=found.run, name="watch", daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.stop()
        thread.join()


def _key(shown: Object) -> tuple[str, str]:
    return shown["metadata"]["namespace"], shown["metadata"]["name"]
