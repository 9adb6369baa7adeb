"""Addresses that exist already, and addresses that two objects want."""

from tests.e2e.stage import manifests
from tests.e2e.stage.stage import GOOGLE, OUTLOOK, Stage, staged


def an_address_that_came_up_just_before_a_bulk_is_not_taken_for_ours(stage: Stage) -> None:
    stage.apply("first")
    stage.known("first")
    names = ("ann", "bob", "carol")
    ids = {name: stage.seed(name, display_name="Ann Example", daily_limit=50) for name in names}
    for name in names:
        stage.apply(name)
    for name in names:
        assert "inboxID" not in stage.shows(name, Ready="False AlreadyExists").status
        assert stage.inbox(name)["inbox_id"] == ids[name]


def an_adopted_inbox_is_deleted_with_its_object(stage: Stage) -> None:
    stage.seed(display_name="Ann Example", daily_limit=50)
    stage.apply(adoptionPolicy="Adopt")
    stage.ready(reason="Adopted")
    stage.remove()
    assert stage.no_inbox()


def an_inbox_of_another_type_is_not_adopted(stage: Stage) -> None:
    stage.seed(inbox_type=OUTLOOK)
    stage.apply(inbox_type=GOOGLE, adoptionPolicy="Adopt")
    assert "OUTLOOK_365" in stage.shows(Ready="False AlreadyExists").message("Ready")
    stage.inbox()


def what_differs_in_an_adopted_inbox_is_told_as_drift(stage: Stage) -> None:
    stage.seed(display_name="Another Name", daily_limit=10)
    stage.apply(adoptionPolicy="Adopt", updatePolicy="Recreate")
    shown = stage.shows(Ready="True Adopted", Synced="False Drifted")
    assert "Another Name" in shown.message("Synced")
    stage.after_sweeps()
    assert stage.happened() == ["created"]


def an_observer_mirrors_an_inbox_and_never_writes(stage: Stage) -> None:
    inbox_id = stage.seed(health_score=42, emails_sent_today=5)
    stage.server.apply(stage.observer())
    shown = stage.shows(Ready="True Active", Synced="True InSync", Healthy="False HealthScoreLow")
    assert (shown.inbox_id, shown.status["origin"]) == (inbox_id, "Observed")
    assert "coldsend.pro/finalizer" not in shown.raw["metadata"].get("finalizers", [])
    stage.emulator.change(stage.address(), overall_status="PAUSED")
    stage.shows(Ready="False Paused")
    stage.remove()
    assert stage.inbox()["inbox_id"] == inbox_id


def an_observer_waits_for_an_inbox_that_is_not_there_and_tells_when_it_goes(stage: Stage) -> None:
    stage.server.apply(stage.observer())
    stage.shows(Ready="False NotFound")
    stage.seed()
    stage.shows(Ready="True Active")
    stage.emulator.delete(stage.address())
    stage.shows(Ready="False NotFound")
    assert stage.happened() == ["created", "deleted"]


def an_observer_that_is_to_manage_passes_the_adoption_policy(stage: Stage) -> None:
    stage.seed(display_name="Ann Example", daily_limit=50)
    stage.server.apply(stage.observer())
    stage.shows(Ready="True Active")
    stage.apply()  # managementPolicy is left out now: Full
    shown = stage.shows(Ready="False AlreadyExists")
    assert "inboxID" not in shown.status
    stage.apply(adoptionPolicy="Adopt")
    stage.ready(reason="Adopted")
    assert stage.happened() == ["created"]


def the_older_of_two_objects_has_the_address_and_the_other_takes_the_inbox_over(stage: Stage) -> None:
    first = stage.make("ann")
    second = stage.manifest("second", emailAddress=stage.address("ann"))
    stage.server.apply(second)
    shown = stage.shows("second", Ready="False AddressConflict")
    assert "SenderAccount ann" in shown.message("Ready")
    stage.after_sweeps()
    assert stage.ready("ann").inbox_id == first.inbox_id
    stage.remove("ann")
    assert stage.ready("second").inbox_id == first.inbox_id
    assert stage.happened("ann") == ["created"]


def the_object_of_another_namespace_is_not_named(stage: Stage) -> None:
    stage.make()
    with staged(stage.world, "the_other_tenant", stage.labels) as other:
        other.secret("workspace", apiKey=stage.key)
        spec = manifests.smtp_spec(GOOGLE, stage.address(), "login") | {"apiKeySecretRef": {"name": "workspace"}}
        other.server.apply(manifests.account(other.namespace, "mine", spec, other.labels))
        shown = other.shows("mine", Ready="False AddressConflict")
        assert "an object of another namespace" in shown.message("Ready")
        assert stage.namespace not in shown.message("Ready")
        other.delete("mine")
        other.gone("mine")
    assert stage.happened() == ["created"]
