"""Scenes in which the operator is killed: how to get there, and what must hold in the end."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e.stage.stage import Shown, Stage

NEW_NAME = "Ann Renamed"
LONG_AGO = 1_700_000_000.0


@dataclass(frozen=True)
class Scene:
    """`prepare` and `act` may rely on a running operator; `look` and `prove` on one that was started after the kill.

    `look` returns when that one is at work, and what was under way at the kill may arrive at last.
    """

    name: str
    prepare: Callable[[Stage], None]
    act: Callable[[Stage], None]
    look: Callable[[Stage], None]
    prove: Callable[[Stage], None]


def _nothing(stage: Stage) -> None:
    """Prove that the stage is as it should be."""


def _is_read(stage: Stage) -> None:
    stage.after_sweeps(0)


def _has_one_inbox(stage: Stage) -> None:
    shown = stage.ready()
    stage.after_sweeps()
    assert stage.inbox()["inbox_id"] == shown.inbox_id
    assert stage.happened() == ["created"]
    assert shown.status["origin"] == "Created"


def _apply_native(stage: Stage) -> None:
    stage.apply("ann", "COLDSEND")


def _apply_native_by_id(stage: Stage) -> None:
    stage.apply("ann", "COLDSEND", native={"domainName": None, "domainID": stage.domain_id})


def _make_ready(stage: Stage) -> None:
    stage.apply()
    stage.known()


def _is_gone(stage: Stage) -> None:
    stage.gone()
    assert stage.happened() == ["created", "deleted"]


def _make_ready_to_be_replaced(stage: Stage) -> None:
    stage.apply(updatePolicy="Recreate")
    stage.known()


def _rename(stage: Stage) -> None:
    stage.edit(displayName=NEW_NAME)


def _was_replaced_once(stage: Stage) -> None:
    stage.until("ann", lambda shown: _shows_the_new_name(stage, shown), "the inbox with its new name")
    stage.ready()
    stage.after_sweeps()
    assert stage.ready().inbox_id == stage.inbox()["inbox_id"]
    assert stage.happened() == ["created", "deleted", "created"]


def _shows_the_new_name(stage: Stage, shown: Shown) -> bool:
    return any(
        inbox["display_name"] == NEW_NAME and inbox["inbox_id"] == shown.status.get("inboxID")
        for inbox in stage.inboxes()
    )


def _ask_for_a_mail(stage: Stage) -> None:
    stage.edit(testEmail={"recipient": _recipient(stage), "requestID": "1"})


def _had_one_mail_at_most(stage: Stage) -> None:
    shown = stage.until("ann", _is_told, "what became of the mail")
    stage.after_sweeps()
    mail = shown.status["testEmail"]
    count = len(stage.emulator.mails(_recipient(stage)))
    assert count == 1 if "sentAt" in mail else count <= 1
    assert "sentAt" in mail or "set a new requestID" in mail["error"]
    assert stage.happened() == ["created"]


def _is_told(shown: Shown) -> bool:
    return bool({"sentAt", "error"} & set(shown.status.get("testEmail", {})))


def _recipient(stage: Stage) -> str:
    return f"ops@{stage.domain}"


def _seed(stage: Stage) -> None:
    stage.seed(display_name="Ann Example", daily_limit=50, created_at=LONG_AGO)


def _adopt(stage: Stage) -> None:
    stage.apply(adoptionPolicy="Adopt")


def _was_adopted(stage: Stage) -> None:
    shown = stage.ready(reason="Adopted")
    stage.after_sweeps()
    assert stage.inbox()["inbox_id"] == shown.inbox_id
    assert stage.happened() == ["created"]


CREATING = Scene("creating", _nothing, Stage.apply, _is_read, _has_one_inbox)
CREATING_NATIVE = Scene("creating_native", _nothing, _apply_native, _is_read, _has_one_inbox)
CREATING_BY_ID = Scene("creating_native_by_id", _nothing, _apply_native_by_id, _is_read, _has_one_inbox)
DELETING = Scene("deleting", _make_ready, Stage.delete, Stage.gone, _is_gone)
REPLACING = Scene("replacing", _make_ready_to_be_replaced, _rename, _is_read, _was_replaced_once)
MAILING = Scene("mailing", _make_ready, _ask_for_a_mail, _is_read, _had_one_mail_at_most)
ADOPTING = Scene("adopting", _seed, _adopt, _is_read, _was_adopted)
