"""What changes in ColdSend arrives, and is never fought."""

from tests.e2e.support.tenant import Tenant


def health_is_low_below_70_and_good_again_from_75(tenant: Tenant) -> None:
    tenant.apply()
    tenant.shows(Healthy="True HealthScoreGood")
    for score, healthy in (
        (71, "True HealthScoreGood"),
        (69.5, "False HealthScoreLow"),
        (74.9, "False HealthScoreLow"),
        (75, "True HealthScoreGood"),
        (70, "True HealthScoreGood"),
    ):
        tenant.emulator.change(tenant.address(), health_score=score)
        shown = tenant.value("healthScore", score)
        assert (score, shown.condition("Healthy")) == (score, healthy)
        assert shown.condition("Ready") == "True Active"
    tenant.emulator.change(tenant.address(), health_score=None)
    tenant.shows(Healthy="Unknown HealthScoreUnknown")


def counters_arrive(tenant: Tenant) -> None:
    tenant.make()
    tenant.emulator.change(tenant.address(), emails_sent_today=17)
    tenant.value("emailsSentToday", 17)


def what_coldsend_changed_is_told_as_drift_and_never_fought(tenant: Tenant) -> None:
    tenant.make(updatePolicy="Recreate")
    tenant.emulator.change(tenant.address(), display_name="Somebody Else", daily_limit=20)
    shown = tenant.shows(Ready="True Active", Synced="False Drifted")
    assert "displayName is 'Somebody Else', the spec says 'Ann Example'" in shown.message("Synced")
    assert "dailyLimit is 20, the spec says 50" in shown.message("Synced")
    assert shown.status["dailyLimit"] == 20
    tenant.after_sweeps()
    assert tenant.happened() == ["created"]
    tenant.emulator.change(tenant.address(), display_name="Ann Example", daily_limit=50)
    tenant.ready()


def an_inbox_removed_by_hand_is_made_again(tenant: Tenant) -> None:
    first = tenant.make().inbox_id
    tenant.emulator.delete(tenant.address())
    tenant.another_inbox(first)
    assert tenant.ready().inbox_id == tenant.inbox()["inbox_id"]
    assert tenant.happened() == ["created", "deleted", "created"]
    assert "Warning NotFound" in tenant.events()


def most_inboxes_gone_at_once_are_not_trusted_until_a_person_approves(tenant: Tenant) -> None:
    names = [f"n{number}" for number in range(12)]
    tenant.make_each(*names)
    tenant.emulator.delete_many(workspace=tenant.workspace)
    for name in names:
        shown = tenant.shows(name, Ready="True Active", Synced="False InventoryImplausible")
        assert "12 of 12 inboxes" in shown.message("Synced")
    tenant.after_sweeps()
    assert all(tenant.no_inbox(name) for name in names)
    tenant.annotate("n0", approve_recreation="true")
    tenant.until("n0", lambda shown: shown.condition("Synced") == "True InSync", "an inbox made again")
    tenant.inbox("n0")
    tenant.annotate_namespace(approve_recreation="true")
    for name in names:
        tenant.ready(name)
        assert tenant.happened(name) == ["created", "deleted", "created"]


def a_coldsend_that_is_down_leaves_the_last_values_and_comes_back(tenant: Tenant) -> None:
    tenant.apply()
    before = tenant.known()
    fault = tenant.fault("status", status=503)
    shown = tenant.shows(Ready="True Active", Synced="False ApiUnavailable")
    assert "Since 20" in shown.message("Synced")
    values = ("inboxID", "healthScore", "emailsSentToday", "overallStatus")
    assert [shown.status[name] for name in values] == [before.status[name] for name in values]
    tenant.apply("late")
    tenant.shows("late", Ready="False ApiUnavailable")
    tenant.emulator.remove_fault(fault)
    tenant.ready()
    tenant.ready("late")


def answers_that_are_no_json_or_never_end_are_as_if_coldsend_were_down(tenant: Tenant) -> None:
    tenant.make()
    for kind in ("not_json", "truncated", "cut"):
        fault = tenant.fault(kind)
        tenant.shows(Ready="True Active", Synced="False ApiUnavailable")
        tenant.emulator.remove_fault(fault)
        tenant.ready()
    assert tenant.happened() == ["created"]
