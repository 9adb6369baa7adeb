"""Scenarios in which the operator is killed: how to get there, and what must hold in the end."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e.support.tenant import Shown, Tenant

NEW_NAME = "Ann Renamed"
LONG_AGO = 1_700_000_000.0


@dataclass(frozen=True)
class Scenario:
    """`prepare` and `act` may rely on a running operator; `look` and `prove` on one that was started after the kill.

    `look` returns when that one is at work, and what was under way at the kill may arrive at last.
    """

    name: str
    prepare: Callable[[Tenant], None]
    act: Callable[[Tenant], None]
    look: Callable[[Tenant], None]
    prove: Callable[[Tenant], None]


def _nothing(tenant: Tenant) -> None:
    """Prove that the tenant is as it should be."""


def _is_read(tenant: Tenant) -> None:
    tenant.after_sweeps(0)


def _has_one_inbox(tenant: Tenant) -> None:
    shown = tenant.ready()
    tenant.after_sweeps()
    assert tenant.inbox()["inbox_id"] == shown.inbox_id
    assert tenant.happened() == ["created"]
    assert shown.status["origin"] == "Created"


def _apply_native(tenant: Tenant) -> None:
    tenant.apply("ann", "COLDSEND")


def _apply_native_by_id(tenant: Tenant) -> None:
    tenant.apply("ann", "COLDSEND", native={"domainName": None, "domainID": tenant.domain_id})


def _make_ready(tenant: Tenant) -> None:
    tenant.apply()
    tenant.known()


def _is_gone(tenant: Tenant) -> None:
    tenant.gone()
    assert tenant.happened() == ["created", "deleted"]


def _make_ready_to_be_replaced(tenant: Tenant) -> None:
    tenant.apply(updatePolicy="Recreate")
    tenant.known()


def _rename(tenant: Tenant) -> None:
    tenant.edit(displayName=NEW_NAME)


def _was_replaced_once(tenant: Tenant) -> None:
    tenant.until("ann", lambda shown: _shows_the_new_name(tenant, shown), "the inbox with its new name")
    tenant.ready()
    tenant.after_sweeps()
    assert tenant.ready().inbox_id == tenant.inbox()["inbox_id"]
    assert tenant.happened() == ["created", "deleted", "created"]


def _shows_the_new_name(tenant: Tenant, shown: Shown) -> bool:
    return any(
        inbox["display_name"] == NEW_NAME and inbox["inbox_id"] == shown.status.get("inboxID")
        for inbox in tenant.inboxes()
    )


def _ask_for_a_mail(tenant: Tenant) -> None:
    tenant.edit(testEmail={"recipient": _recipient(tenant), "requestID": "1"})


def _had_one_mail_at_most(tenant: Tenant) -> None:
    shown = tenant.until("ann", _is_told, "what became of the mail")
    tenant.after_sweeps()
    mail = shown.status["testEmail"]
    count = len(tenant.emulator.mails(_recipient(tenant)))
    assert count == 1 if "sentAt" in mail else count <= 1
    assert "sentAt" in mail or "set a new requestID" in mail["error"]
    assert tenant.happened() == ["created"]


def _is_told(shown: Shown) -> bool:
    return bool({"sentAt", "error"} & set(shown.status.get("testEmail", {})))


def _recipient(tenant: Tenant) -> str:
    return f"ops@{tenant.domain}"


def _seed(tenant: Tenant) -> None:
    tenant.seed(display_name="Ann Example", daily_limit=50, created_at=LONG_AGO)


def _adopt(tenant: Tenant) -> None:
    tenant.apply(adoptionPolicy="Adopt")


def _was_adopted(tenant: Tenant) -> None:
    shown = tenant.ready(reason="Adopted")
    tenant.after_sweeps()
    assert tenant.inbox()["inbox_id"] == shown.inbox_id
    assert tenant.happened() == ["created"]


CREATING = Scenario("creating", _nothing, Tenant.apply, _is_read, _has_one_inbox)
CREATING_NATIVE = Scenario("creating_native", _nothing, _apply_native, _is_read, _has_one_inbox)
CREATING_BY_ID = Scenario("creating_native_by_id", _nothing, _apply_native_by_id, _is_read, _has_one_inbox)
DELETING = Scenario("deleting", _make_ready, Tenant.delete, Tenant.gone, _is_gone)
REPLACING = Scenario("replacing", _make_ready_to_be_replaced, _rename, _is_read, _was_replaced_once)
MAILING = Scenario("mailing", _make_ready, _ask_for_a_mail, _is_read, _had_one_mail_at_most)
ADOPTING = Scenario("adopting", _seed, _adopt, _is_read, _was_adopted)
