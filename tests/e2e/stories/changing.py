"""Changes of spec, and the annotations with which people steer."""

from tests.e2e.support.tenant import Tenant


def a_changed_spec_is_told_and_clears_when_it_is_changed_back(tenant: Tenant) -> None:
    tenant.make()
    tenant.edit(displayName="Ann Renamed")
    shown = tenant.shows(Ready="True Active", Synced="False UpdateNotSupported")
    assert "updatePolicy: Recreate" in shown.message("Synced")
    tenant.edit(displayName="Ann Example")
    tenant.ready()
    tenant.edit(smtp={"port": 465})
    tenant.shows(Ready="True Active", Synced="False UpdateNotSupported")
    tenant.after_sweeps()
    assert tenant.happened() == ["created"]


def a_change_made_by_hand_in_coldsend_too_is_in_sync(tenant: Tenant) -> None:
    tenant.make()
    tenant.edit(displayName="Ann Renamed", dailyLimit=60)
    tenant.shows(Synced="False UpdateNotSupported")
    tenant.emulator.change(tenant.address(), display_name="Ann Renamed", daily_limit=60)
    tenant.ready()
    assert tenant.happened() == ["created"]


def a_changed_spec_with_recreate_makes_the_inbox_again_once(tenant: Tenant) -> None:
    first = tenant.make(updatePolicy="Recreate").inbox_id
    tenant.edit(displayName="Ann Renamed", dailyLimit=60)
    tenant.another_inbox(first)
    shown = tenant.ready()
    assert shown.status["dailyLimit"] == 60
    assert tenant.inbox()["display_name"] == "Ann Renamed"
    tenant.after_sweeps()
    assert tenant.happened() == ["created", "deleted", "created"]


def a_policy_set_to_recreate_later_acts_on_the_change_made_before(tenant: Tenant) -> None:
    first = tenant.make().inbox_id
    tenant.edit(displayName="Ann Renamed")
    tenant.shows(Synced="False UpdateNotSupported")
    tenant.edit(updatePolicy="Recreate")
    tenant.another_inbox(first)
    tenant.ready()
    assert tenant.inbox()["display_name"] == "Ann Renamed"


def an_inbox_that_a_campaign_uses_is_replaced_once_it_is_freed(tenant: Tenant) -> None:
    first = tenant.make(updatePolicy="Recreate").inbox_id
    campaign = tenant.emulator.hold(tenant.address(), workspace=tenant.workspace)
    tenant.edit(displayName="Ann Renamed")
    shown = tenant.shows(Ready="True Active", Synced="False InUseByCampaign")
    assert shown.inbox_id == first
    tenant.emulator.free(campaign)
    tenant.another_inbox(first)
    tenant.ready()


def accounts_that_share_a_secret_are_replaced_one_after_the_other(tenant: Tenant) -> None:
    names = ("ann", "bob", "carol")
    for name in names:
        tenant.apply(name, updatePolicy="Recreate")
    firsts = {name: tenant.ready(name).inbox_id for name in names}
    tenant.secret(password=f"{tenant.password} 2")
    for name in names:
        tenant.another_inbox(firsts[name], name)
        tenant.ready(name)
    history = tenant.emulator.call("GET", "/history", workspace=tenant.workspace)["history"][len(names) :]
    assert [each["event"] for each in history] == ["deleted", "created"] * len(names)


def a_paused_object_calls_nothing_until_it_goes_on(tenant: Tenant) -> None:
    manifest = tenant.manifest()
    manifest["metadata"]["annotations"] = {"coldsend.pro/paused": "true"}
    tenant.server.apply(manifest)
    shown = tenant.shows(Ready="False ReconciliationPaused", Synced="False ReconciliationPaused")
    assert "coldsend.pro/paused" in shown.message("Ready")
    assert tenant.asked("createSmtpAccount") == []
    tenant.annotate(paused=None)
    tenant.ready()


def the_values_of_a_paused_object_stand_still(tenant: Tenant) -> None:
    tenant.apply()
    before = tenant.known()
    tenant.annotate(paused="true")
    tenant.shows(Synced="False ReconciliationPaused")
    tenant.emulator.change(tenant.address(), health_score=10, emails_sent_today=99)
    tenant.edit(displayName="Ann Renamed", updatePolicy="Recreate")
    tenant.after_sweeps(3)
    shown = tenant.look()
    assert shown is not None
    assert [shown.status[name] for name in ("healthScore", "emailsSentToday")] == [100, 0]
    assert shown.inbox_id == before.inbox_id
    assert tenant.happened() == ["created"]
    tenant.annotate(paused=None)
    tenant.another_inbox(before.inbox_id)


def a_reconcile_request_is_acknowledged_each_time(tenant: Tenant) -> None:
    tenant.make()
    for asked in ("2026-01-01T00:00:00Z", "again"):
        tenant.annotate(reconcile=asked)
        tenant.value("lastReconcileRequest", asked)
    assert tenant.happened() == ["created"]
