"""Measured surprises of the generic provider, which must not happen here."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.e2e.support.api_server import Refused
from tests.open_points.place import NAMES, Place

ODD = "hush pa\"ss\\word\\n \\u0041 {{ x }} $HOME %s ' ` ä€😀 </script>"
CROWD = tuple(f"u{number}" for number in range(200))
ANSWERS: tuple[dict[str, object], ...] = (
    {"body": {"deleted": True}},
    {"body": {"message": "deleted", "data": None}},
    {"body": {"id": "another", "inbox_id": None}},
    {"body": {"success": True, "sender_account": {"email_address": "nobody@example.com"}}},
    {"body": []},
    {"body": "deleted"},
    {"body": ""},
    {"status": 202, "body": {"job_id": "some-job"}},
)


def one_failed_look_loses_nothing(place: Place) -> None:
    """Surprise 1: after one refused poll the id was gone, and the account was made again or no longer watched."""
    place.apply()
    before = place.known()
    for status in (429, 500, 503, 422, 400):
        headers = {"Retry-After": "1"} if status == 429 else {}
        fault = place.fault("status", operation="getSenderAccount", count=1, status=status, headers=headers)
        place.annotate("ann", reconcile=f"after {status}")
        place.emulator.wait_for_fault(fault, seconds=60)
        place.value("lastReconcileRequest", f"after {status}")
        assert place.look_at().inbox_id == before.inbox_id
    listed = place.fault("status", operation="listSenderAccounts", count=2, status=500)
    place.emulator.wait_for_fault(listed, hits=2, seconds=60)
    place.emulator.change(place.address(), health_score=50)
    shown = place.value("healthScore", 50)
    assert shown.inbox_id == before.inbox_id
    place.ready()
    assert (place.happened(), place.creates) == (["created"], 1)
    assert {each.status["inboxID"] for each in place.states() if "inboxID" in each.status} == {before.inbox_id}


def a_delete_ends_whatever_its_answer_looks_like(place: Place) -> None:
    """Surprise 2: an answer without the id left the object in deletion for ever."""
    place.annotate_namespace(approve_deletion="true")  # more than the brake lets go unasked
    names = tuple(f"d{number}" for number in range(len(ANSWERS)))
    kinds: list[tuple[str, dict[str, object]]] = [("status", {"status": 200, **answer}) for answer in ANSWERS]
    for name, (kind, answer) in zip(names, kinds, strict=True):
        inbox_id = place.make(name).inbox_id
        place.fault(kind, when="after", operation="deleteSenderAccount", path=inbox_id, count=1, **answer)
        place.remove(name)
    for kind in ("not_json", "truncated", "cut"):
        place.apply(kind.replace("_", ""))
        inbox_id = place.ready(kind.replace("_", "")).inbox_id
        place.fault(kind, when="after", operation="deleteSenderAccount", path=inbox_id, count=1)
        place.delete(kind.replace("_", ""))
        place.gone(kind.replace("_", ""))
    assert place.all_ours() == []
    assert place.histories(names) == {("created", "deleted")}


def many_at_once_are_made_once(place: Place) -> None:
    """Surprises 3 and 4: duplicates without a crash, and objects stuck for ever."""
    place.make_all(names=CROWD)
    assert place.histories(CROWD) == {("created",)}
    assert place.creates <= (20 if place.simulated else len(CROWD))


def write_conflicts_double_nothing(place: Place) -> None:
    """Surprise 3: somebody else writes to the same objects all the time."""
    with _restless_writers(place):
        many_at_once_are_made_once(place)


@contextmanager
def _restless_writers(place: Place) -> Iterator[None]:
    over = threading.Event()

    def write(names: tuple[str, ...]) -> None:
        for turn in range(1_000_000):
            for name in names:
                if over.is_set():
                    return
                change = {"metadata": {"annotations": {"example.com/turn": str(turn)}, "labels": {"turn": str(turn)}}}
                with suppress(Refused):  # not applied yet
                    place.server.merge("SenderAccount", place.namespace, name, change)

    threads = [threading.Thread(target=write, args=(CROWD[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def odd_passwords_arrive_unharmed(place: Place) -> None:
    """Surprise 6: quotes and backslashes broke the request."""
    place.secret("odd", password=ODD)
    place.make(smtp={"passwordSecretRef": {"name": "odd"}})
    assert place.emulator.has_passwords(place.address(), ODD)
    others = NAMES[1:]
    place.make_all(names=others, smtp={"passwordSecretRef": {"name": "odd"}})
    assert [name for name in others if not place.emulator.has_passwords(place.address(name), ODD)] == []
    assert place.shared("bulkCreateSmtpAccounts")
