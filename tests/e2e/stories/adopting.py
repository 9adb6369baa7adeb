"""Addresses that exist already, and addresses that two objects want."""

from tests.e2e.support import manifests
from tests.e2e.support.tenant import GOOGLE, OUTLOOK, Tenant, opened_tenant


def an_address_that_came_up_just_before_a_bulk_is_not_taken_for_ours(tenant: Tenant) -> None:
    tenant.apply("first")
    tenant.known("first")
    names = ("ann", "bob", "carol")
    ids = {name: tenant.seed(name, display_name="Ann Example", daily_limit=50) for name in names}
    for name in names:
        tenant.apply(name)
    for name in names:
        assert "inboxID" not in tenant.shows(name, Ready="False AlreadyExists").status
        assert tenant.inbox(name)["inbox_id"] == ids[name]


def an_adopted_inbox_is_deleted_with_its_object(tenant: Tenant) -> None:
    tenant.seed(display_name="Ann Example", daily_limit=50)
    tenant.apply(adoptionPolicy="Adopt")
    tenant.ready(reason="Adopted")
    tenant.remove()
    assert tenant.no_inbox()


def an_inbox_of_another_type_is_not_adopted(tenant: Tenant) -> None:
    tenant.seed(inbox_type=OUTLOOK)
    tenant.apply(inbox_type=GOOGLE, adoptionPolicy="Adopt")
    assert "OUTLOOK_365" in tenant.shows(Ready="False AlreadyExists").message("Ready")
    tenant.inbox()


def what_differs_in_an_adopted_inbox_is_told_as_drift(tenant: Tenant) -> None:
    tenant.seed(display_name="Another Name", daily_limit=10)
    tenant.apply(adoptionPolicy="Adopt", updatePolicy="Recreate")
    shown = tenant.shows(Ready="True Adopted", Synced="False Drifted")
    assert "Another Name" in shown.message("Synced")
    tenant.after_sweeps()
    assert tenant.happened() == ["created"]


def an_observer_mirrors_an_inbox_and_never_writes(tenant: Tenant) -> None:
    inbox_id = tenant.seed(health_score=42, emails_sent_today=5)
    tenant.server.apply(tenant.observer())
    shown = tenant.shows(Ready="True Active", Synced="True InSync", Healthy="False HealthScoreLow")
    assert (shown.inbox_id, shown.status["origin"]) == (inbox_id, "Observed")
    assert "coldsend.pro/finalizer" not in shown.raw["metadata"].get("finalizers", [])
    tenant.emulator.change(tenant.address(), overall_status="PAUSED")
    tenant.shows(Ready="False Paused")
    tenant.remove()
    assert tenant.inbox()["inbox_id"] == inbox_id


def an_observer_waits_for_an_inbox_that_is_not_there_and_tells_when_it_goes(tenant: Tenant) -> None:
    tenant.server.apply(tenant.observer())
    tenant.shows(Ready="False NotFound")
    tenant.seed()
    tenant.shows(Ready="True Active")
    tenant.emulator.delete(tenant.address())
    tenant.shows(Ready="False NotFound")
    assert tenant.happened() == ["created", "deleted"]


def an_observer_that_is_to_manage_passes_the_adoption_policy(tenant: Tenant) -> None:
    tenant.seed(display_name="Ann Example", daily_limit=50)
    tenant.server.apply(tenant.observer())
    tenant.shows(Ready="True Active")
    tenant.apply()  # managementPolicy is left out now: Full
    shown = tenant.shows(Ready="False AlreadyExists")
    assert "inboxID" not in shown.status
    tenant.apply(adoptionPolicy="Adopt")
    tenant.ready(reason="Adopted")
    assert tenant.happened() == ["created"]


def the_older_of_two_objects_has_the_address_and_the_other_takes_the_inbox_over(tenant: Tenant) -> None:
    first = tenant.make("ann")
    second = tenant.manifest("second", emailAddress=tenant.address("ann"))
    tenant.server.apply(second)
    shown = tenant.shows("second", Ready="False AddressConflict")
    assert "SenderAccount ann" in shown.message("Ready")
    tenant.after_sweeps()
    assert tenant.ready("ann").inbox_id == first.inbox_id
    tenant.remove("ann")
    assert tenant.ready("second").inbox_id == first.inbox_id
    assert tenant.happened("ann") == ["created"]


def the_object_of_another_namespace_is_not_named(tenant: Tenant) -> None:
    tenant.make()
    with opened_tenant(tenant.world, "the_other_tenant", tenant.labels) as other:
        other.secret("workspace", apiKey=tenant.key)
        spec = manifests.smtp_spec(GOOGLE, tenant.address(), "login") | {"apiKeySecretRef": {"name": "workspace"}}
        other.server.apply(manifests.account(other.namespace, "mine", spec, other.labels))
        shown = other.shows("mine", Ready="False AddressConflict")
        assert "an object of another namespace" in shown.message("Ready")
        assert tenant.namespace not in shown.message("Ready")
        other.delete("mine")
        other.gone("mine")
    assert tenant.happened() == ["created"]
