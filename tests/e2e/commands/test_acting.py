"""The commands that act: each sets what it says on the objects that it showed, and the operator does the rest."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.e2e.commands.person import Person
from tests.e2e.commands.place import ALONE, OTHER, SALES, Place, seed_what_is_nobodys
from tests.e2e.commands.test_reading_commands import CHANGING
from tests.e2e.support.tenant import eventually

COUNT = 12  # of which none is in ColdSend any more: more than the operator trusts


def annotations(here: Place, name: str) -> dict[str, str]:
    raw = here.account(name) or {}
    found: dict[str, str] = raw["metadata"].get("annotations", {})
    return found


def inboxes(here: Place, name: str) -> list[str]:
    return [each["inbox_id"] for each in here.world.emulator.inboxes(address=f"{name}@alone.com")]


def ready(here: Place, name: str, **spec: Any) -> None:
    here.make(name, **spec)
    here.until(name, "True Active")


def gone(here: Place, name: str) -> None:
    eventually(lambda: here.account(name) is None, f"the end of {name}")


def test_an_action_shows_the_objects_and_asks_before_it_changes_one(here: Place, person: Person) -> None:
    unasked = person.fails("pause", "ann", code=2)
    assert unasked.out == f"SenderAccount {SALES}/ann ann@alone.com\n"
    assert "--yes" in unasked.err
    assert "coldsend.pro/paused" not in annotations(here, "ann")
    person.fails("pause", "nobody", "--yes")


def test_pause_and_resume(here: Place, person: Person) -> None:
    person.succeeds("pause", "ann", "bob", "senderbatch/pool", "--yes")
    here.until("ann", "False ReconciliationPaused", "Synced")
    batch = here.world.server.get("SenderAccountBatch", SALES, "pool") or {}
    assert batch["metadata"]["annotations"]["coldsend.pro/paused"] == "true"
    person.fails("wait", "sender/ann", "--for", "synced")
    person.succeeds("resume", "ann", "bob", "senderbatch/pool", "--yes")
    person.succeeds("wait", "sender/ann", "--for", "synced", "--timeout", "60s")


def test_reconcile_waits_for_the_answer_of_the_operator(here: Place, person: Person) -> None:
    here.world.emulator.change("ann@alone.com", health_score=41.0)
    person.succeeds("reconcile", "ann", "--wait", "--yes", "--timeout", "60s")
    raw = here.account("ann") or {}
    assert raw["status"]["lastReconcileRequest"] == annotations(here, "ann")["coldsend.pro/reconcile"]
    assert raw["status"]["healthScore"] == 41.0
    here.world.emulator.change("ann@alone.com", health_score=95.0)


def test_a_test_mail_is_sent_once(here: Place, person: Person) -> None:
    person.succeeds("test-email", "bob", "--to", "ops@example.com", "--yes")
    eventually(lambda: len(here.world.emulator.mails("ops@example.com")) == 1, "one test mail")
    person.fails("test-email", "--all", "--to", "ops@example.com", "--yes", code=2)


def test_a_held_deletion_goes_on_when_it_is_approved(here: Place, person: Person) -> None:
    ready(here, "cid", deletionProtection=True)
    here.world.server.delete("SenderAccount", SALES, "cid")
    here.until("cid", "False DeletionHeld")
    held = person.fails("wait", "sender/cid", "--for", "deleted")
    assert "DeletionHeld" in held.err
    assert person.run("plan", "-o", "json", "--fail-on", "hold").code == 4
    person.succeeds("approve-deletion", "cid", "--yes")
    person.succeeds("wait", "sender/cid", "--for", "deleted", "--timeout", "60s")
    assert inboxes(here, "cid") == []


def test_force_orphan_lets_the_object_go_and_keeps_the_inbox(here: Place, person: Person) -> None:
    ready(here, "dan", deletionProtection=True)
    kept = inboxes(here, "dan")
    here.world.server.delete("SenderAccount", SALES, "dan")
    here.until("dan", "False DeletionHeld")
    person.succeeds("force-orphan", "dan", "--yes")
    gone(here, "dan")
    assert inboxes(here, "dan") == kept
    here.world.emulator.delete("dan@alone.com")


def test_hand_over_gives_the_inbox_to_another_namespace(here: Place, person: Person) -> None:
    ready(here, "eve")
    (inbox,) = inboxes(here, "eve")
    here.make("eve", OTHER, adoptionPolicy="Adopt")
    here.until("eve", "False AddressConflict", namespace=OTHER)
    person.fails("hand-over", "eve", "--to", "eve", "--yes", code=2)
    person.succeeds("hand-over", "eve", "--to", f"{OTHER}/eve", "--yes")
    here.world.server.delete("SenderAccount", SALES, "eve")
    gone(here, "eve")
    eventually(lambda: here.condition("eve", namespace=OTHER).startswith("True"), "eve in the other namespace")
    assert ((here.account("eve", OTHER) or {})["status"]["inboxID"], inboxes(here, "eve")) == (inbox, [inbox])
    here.world.server.delete("SenderAccount", OTHER, "eve")
    eventually(lambda: here.account("eve", OTHER) is None, "the end of eve")


def test_inboxes_that_went_missing_are_made_again_when_that_is_approved(here: Place, person: Person) -> None:
    names = [f"n{number}" for number in range(COUNT)]
    for name in names:
        here.make(name)
    for name in names:
        here.until(name, "True Active")
    here.world.emulator.delete_many()
    seed_what_is_nobodys(here.world)
    here.until("n0", "False InventoryImplausible", "Synced")
    person.succeeds("approve-recreation", "--all", "--yes")
    for name in (*names, *ALONE):
        here.until(name, "True InSync", "Synced")
        assert len(inboxes(here, name)) == 1
    for name in names:
        here.world.server.merge("SenderAccount", SALES, name, {"spec": {"deletionPolicy": "Orphan"}})
        here.world.server.delete("SenderAccount", SALES, name)
    for name in names:
        gone(here, name)
    here.world.emulator.delete_many([f"{name}@alone.com" for name in names])


def test_what_was_changed_was_changed_by_patches_of_the_two_kinds_alone(here: Place, person: Person) -> None:
    """Of all that this person did in this module."""
    asked = here.asked_of_kubernetes("test-acting")
    wrote = {
        (request.verb, request.group, request.resource) for request in asked if request.verb not in {"get", "list"}
    }
    assert wrote == {
        ("patch", "coldsend.pro", "senderaccounts"),
        ("patch", "coldsend.pro", "senderaccountbatches"),
    }


def test_a_dry_run_of_an_action_sends_get_alone(here: Place) -> None:
    person = here.person("dry")
    beside = {"hand-over": ("--to", f"{OTHER}/eve"), "test-email": ("--to", "ops@example.com")}
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(person.succeeds, command, "bob", "--dry-run", *beside.get(command, ())) for command in CHANGING
        ]
        assert all("would be changed" in each.result().err for each in runs)
    assert {request.verb for request in here.asked_of_kubernetes("dry")} == {"get"}
