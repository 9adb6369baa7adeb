"""What changes in ColdSend arrives, and is never fought."""

from tests.e2e.stage.stage import Stage


def health_is_low_below_70_and_good_again_from_75(stage: Stage) -> None:
    stage.apply()
    stage.shows(Healthy="True HealthScoreGood")
    for score, healthy in (
        (71, "True HealthScoreGood"),
        (69.5, "False HealthScoreLow"),
        (74.9, "False HealthScoreLow"),
        (75, "True HealthScoreGood"),
        (70, "True HealthScoreGood"),
    ):
        stage.emulator.change(stage.address(), health_score=score)
        shown = stage.value("healthScore", score)
        assert (score, shown.condition("Healthy")) == (score, healthy)
        assert shown.condition("Ready") == "True Active"
    stage.emulator.change(stage.address(), health_score=None)
    stage.shows(Healthy="Unknown HealthScoreUnknown")


def counters_arrive(stage: Stage) -> None:
    stage.make()
    stage.emulator.change(stage.address(), emails_sent_today=17)
    stage.value("emailsSentToday", 17)


def what_coldsend_changed_is_told_as_drift_and_never_fought(stage: Stage) -> None:
    stage.make(updatePolicy="Recreate")
    stage.emulator.change(stage.address(), display_name="Somebody Else", daily_limit=20)
    shown = stage.shows(Ready="True Active", Synced="False Drifted")
    assert "displayName is 'Somebody Else', the spec says 'Ann Example'" in shown.message("Synced")
    assert "dailyLimit is 20, the spec says 50" in shown.message("Synced")
    assert shown.status["dailyLimit"] == 20
    stage.after_sweeps()
    assert stage.happened() == ["created"]
    stage.emulator.change(stage.address(), display_name="Ann Example", daily_limit=50)
    stage.ready()


def an_inbox_removed_by_hand_is_made_again(stage: Stage) -> None:
    first = stage.make().inbox_id
    stage.emulator.delete(stage.address())
    stage.another_inbox(first)
    assert stage.ready().inbox_id == stage.inbox()["inbox_id"]
    assert stage.happened() == ["created", "deleted", "created"]
    assert "Warning NotFound" in stage.events()


def most_inboxes_gone_at_once_are_not_trusted_until_a_person_approves(stage: Stage) -> None:
    names = [f"n{number}" for number in range(12)]
    stage.make_each(*names)
    stage.emulator.delete_many(workspace=stage.workspace)
    for name in names:
        shown = stage.shows(name, Ready="True Active", Synced="False InventoryImplausible")
        assert "12 of 12 inboxes" in shown.message("Synced")
    stage.after_sweeps()
    assert all(stage.no_inbox(name) for name in names)
    stage.annotate("n0", approve_recreation="true")
    stage.until("n0", lambda shown: shown.condition("Synced") == "True InSync", "an inbox made again")
    stage.inbox("n0")
    stage.annotate_namespace(approve_recreation="true")
    for name in names:
        stage.ready(name)
        assert stage.happened(name) == ["created", "deleted", "created"]


def a_coldsend_that_is_down_leaves_the_last_values_and_comes_back(stage: Stage) -> None:
    stage.apply()
    before = stage.known()
    fault = stage.fault("status", status=503)
    shown = stage.shows(Ready="True Active", Synced="False ApiUnavailable")
    assert "Since 20" in shown.message("Synced")
    values = ("inboxID", "healthScore", "emailsSentToday", "overallStatus")
    assert [shown.status[name] for name in values] == [before.status[name] for name in values]
    stage.apply("late")
    stage.shows("late", Ready="False ApiUnavailable")
    stage.emulator.remove_fault(fault)
    stage.ready()
    stage.ready("late")


def answers_that_are_no_json_or_never_end_are_as_if_coldsend_were_down(stage: Stage) -> None:
    stage.make()
    for kind in ("not_json", "truncated", "cut"):
        fault = stage.fault(kind)
        stage.shows(Ready="True Active", Synced="False ApiUnavailable")
        stage.emulator.remove_fault(fault)
        stage.ready()
    assert stage.happened() == ["created"]
