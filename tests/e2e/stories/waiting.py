"""Keys that are refused or lack a scope, and limits: the whole workspace waits, says so, and goes on by itself."""

from datetime import datetime, timedelta

from tests.e2e.stage.stage import Stage

READ = "sender_accounts:read"


def a_revoked_key_stops_the_workspace_until_it_is_given_back(stage: Stage) -> None:
    stage.apply()
    before = stage.known()
    stage.emulator.change_key(stage.key, revoked=True)
    shown = stage.shows(Ready="True Active", Synced="False Unauthorized")
    assert shown.status["healthScore"] == before.status["healthScore"]
    stage.apply("late")
    stage.shows("late", Ready="False Unauthorized")
    stage.emulator.change_key(stage.key, revoked=False)
    stage.ready("late")
    stage.ready()
    assert stage.happened() == ["created"]


def a_missing_scope_is_named_and_stops_only_what_needs_it(stage: Stage) -> None:
    stage.seed("old", health_score=50)
    stage.server.apply(stage.observer("old"))
    stage.emulator.change_key(stage.key, scopes=[READ])
    stage.apply()
    shown = stage.shows(Ready="False MissingScopes")
    assert "sender_accounts:create" in shown.message("Ready")
    stage.emulator.change(stage.address("old"), health_score=90)
    stage.value("healthScore", 90, "old")
    assert stage.look("old").condition("Synced") == "True InSync"  # type: ignore[union-attr]
    stage.emulator.change_key(stage.key, scopes=[READ, "sender_accounts:create"])
    stage.ready()


def a_key_that_may_not_delete_says_so_on_the_object_in_deletion(stage: Stage) -> None:
    stage.make()
    stage.emulator.change_key(stage.key, scopes=[READ, "sender_accounts:create"])
    stage.delete()
    shown = stage.until("ann", lambda shown: shown.condition("Ready") == "False MissingScopes", "MissingScopes")
    assert "sender_accounts:delete" in shown.message("Ready")
    stage.inbox()
    stage.emulator.change_key(stage.key, scopes=["sender_accounts:all"])
    stage.gone()
    assert stage.no_inbox()


def a_429_is_waited_out_as_retry_after_says(stage: Stage) -> None:
    _storm(stage, 3, headers={"Retry-After": "3"}, body={"detail": "Too many requests"})


def a_429_is_waited_out_as_the_reset_header_says(stage: Stage) -> None:
    reset = str(int(datetime.now().timestamp()) + 10)  # noqa: DTZ005 - the same instant in every zone
    headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    _storm(stage, 3, headers=headers, body={"detail": "Too many requests"})


def a_429_is_waited_out_as_its_sentence_says(stage: Stage) -> None:
    _storm(stage, 3, body={"detail": "Rate limit exceeded. Please try again in 3 seconds."})


def _storm(stage: Stage, seconds: float, **answer: object) -> None:
    stage.make()
    fault = stage.fault("status", status=429, count=1, **answer)
    stage.emulator.wait_for_fault(fault, seconds=60)
    stage.make("late")
    asked = stage.asked()
    answered = next(datetime.fromisoformat(each["at"]) for each in asked if each["status"] == 429)
    began = [datetime.fromisoformat(each["at"]) - timedelta(seconds=each["seconds"]) for each in asked]
    early = [each for each in began if answered < each < answered + timedelta(seconds=seconds - 0.5)]
    assert len(early) <= 1  # one may leave before the operator has read the answer
    assert stage.look().condition("Ready") == "True Active"  # type: ignore[union-attr]


def a_plan_limit_is_told(stage: Stage) -> None:
    fault = stage.fault(
        "status", status=402, body={"detail": "Your plan allows 5 inboxes"}, operation="createSmtpAccount"
    )
    stage.apply()
    shown = stage.shows(Ready="False PlanLimit")
    assert "Your plan allows 5 inboxes" in shown.message("Ready")
    assert len(stage.asked("createSmtpAccount")) == 1
    stage.emulator.remove_fault(fault)


def a_delete_whose_answer_is_lost_is_confirmed(stage: Stage) -> None:
    for name, when in (("ann", "after"), ("bob", "before")):
        stage.make(name)
        stage.fault("cut", when=when, operation="deleteSenderAccount", count=1)
        stage.remove(name)
        assert stage.happened(name) == ["created", "deleted"]
