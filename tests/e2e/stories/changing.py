"""Changes of spec, and the annotations with which people steer."""

from tests.e2e.stage.stage import Stage


def a_changed_spec_is_told_and_clears_when_it_is_changed_back(stage: Stage) -> None:
    stage.make()
    stage.edit(displayName="Ann Renamed")
    shown = stage.shows(Ready="True Active", Synced="False UpdateNotSupported")
    assert "updatePolicy: Recreate" in shown.message("Synced")
    stage.edit(displayName="Ann Example")
    stage.ready()
    stage.edit(smtp={"port": 465})
    stage.shows(Ready="True Active", Synced="False UpdateNotSupported")
    stage.after_sweeps()
    assert stage.happened() == ["created"]


def a_change_made_by_hand_in_coldsend_too_is_in_sync(stage: Stage) -> None:
    stage.make()
    stage.edit(displayName="Ann Renamed", dailyLimit=60)
    stage.shows(Synced="False UpdateNotSupported")
    stage.emulator.change(stage.address(), display_name="Ann Renamed", daily_limit=60)
    stage.ready()
    assert stage.happened() == ["created"]


def a_changed_spec_with_recreate_makes_the_inbox_again_once(stage: Stage) -> None:
    first = stage.make(updatePolicy="Recreate").inbox_id
    stage.edit(displayName="Ann Renamed", dailyLimit=60)
    stage.another_inbox(first)
    shown = stage.ready()
    assert shown.status["dailyLimit"] == 60
    assert stage.inbox()["display_name"] == "Ann Renamed"
    stage.after_sweeps()
    assert stage.happened() == ["created", "deleted", "created"]


def a_policy_set_to_recreate_later_acts_on_the_change_made_before(stage: Stage) -> None:
    first = stage.make().inbox_id
    stage.edit(displayName="Ann Renamed")
    stage.shows(Synced="False UpdateNotSupported")
    stage.edit(updatePolicy="Recreate")
    stage.another_inbox(first)
    stage.ready()
    assert stage.inbox()["display_name"] == "Ann Renamed"


def an_inbox_that_a_campaign_uses_is_replaced_once_it_is_freed(stage: Stage) -> None:
    first = stage.make(updatePolicy="Recreate").inbox_id
    campaign = stage.emulator.hold(stage.address(), workspace=stage.workspace)
    stage.edit(displayName="Ann Renamed")
    shown = stage.shows(Ready="True Active", Synced="False InUseByCampaign")
    assert shown.inbox_id == first
    stage.emulator.free(campaign)
    stage.another_inbox(first)
    stage.ready()


def accounts_that_share_a_secret_are_replaced_one_after_the_other(stage: Stage) -> None:
    names = ("ann", "bob", "carol")
    for name in names:
        stage.apply(name, updatePolicy="Recreate")
    firsts = {name: stage.ready(name).inbox_id for name in names}
    stage.secret(password=f"{stage.password} 2")
    for name in names:
        stage.another_inbox(firsts[name], name)
        stage.ready(name)
    history = stage.emulator.call("GET", "/history", workspace=stage.workspace)["history"][len(names) :]
    assert [each["event"] for each in history] == ["deleted", "created"] * len(names)


def a_paused_object_calls_nothing_until_it_goes_on(stage: Stage) -> None:
    manifest = stage.manifest()
    manifest["metadata"]["annotations"] = {"coldsend.pro/paused": "true"}
    stage.server.apply(manifest)
    shown = stage.shows(Ready="False ReconciliationPaused", Synced="False ReconciliationPaused")
    assert "coldsend.pro/paused" in shown.message("Ready")
    assert stage.asked("createSmtpAccount") == []
    stage.annotate(paused=None)
    stage.ready()


def the_values_of_a_paused_object_stand_still(stage: Stage) -> None:
    stage.apply()
    before = stage.known()
    stage.annotate(paused="true")
    stage.shows(Synced="False ReconciliationPaused")
    stage.emulator.change(stage.address(), health_score=10, emails_sent_today=99)
    stage.edit(displayName="Ann Renamed", updatePolicy="Recreate")
    stage.after_sweeps(3)
    shown = stage.look()
    assert shown is not None
    assert [shown.status[name] for name in ("healthScore", "emailsSentToday")] == [100, 0]
    assert shown.inbox_id == before.inbox_id
    assert stage.happened() == ["created"]
    stage.annotate(paused=None)
    stage.another_inbox(before.inbox_id)


def a_reconcile_request_is_acknowledged_each_time(stage: Stage) -> None:
    stage.make()
    for asked in ("2026-01-01T00:00:00Z", "again"):
        stage.annotate(reconcile=asked)
        stage.value("lastReconcileRequest", asked)
    assert stage.happened() == ["created"]
