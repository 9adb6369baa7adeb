"""Keys that are refused or lack a scope, and limits: the whole workspace waits, says so, and goes on by itself."""

from datetime import datetime, timedelta

from tests.e2e.support.tenant import Tenant

READ = "sender_accounts:read"


def a_revoked_key_stops_the_workspace_until_it_is_given_back(tenant: Tenant) -> None:
    tenant.apply()
    before = tenant.known()
    tenant.emulator.change_key(tenant.key, revoked=True)
    shown = tenant.shows(Ready="True Active", Synced="False Unauthorized")
    assert shown.status["healthScore"] == before.status["healthScore"]
    tenant.apply("late")
    tenant.shows("late", Ready="False Unauthorized")
    tenant.emulator.change_key(tenant.key, revoked=False)
    tenant.ready("late")
    tenant.ready()
    assert tenant.happened() == ["created"]


def a_missing_scope_is_named_and_stops_only_what_needs_it(tenant: Tenant) -> None:
    tenant.seed("old", health_score=50)
    tenant.server.apply(tenant.observer("old"))
    tenant.emulator.change_key(tenant.key, scopes=[READ])
    tenant.apply()
    shown = tenant.shows(Ready="False MissingScopes")
    assert "sender_accounts:create" in shown.message("Ready")
    tenant.emulator.change(tenant.address("old"), health_score=90)
    tenant.value("healthScore", 90, "old")
    assert tenant.look("old").condition("Synced") == "True InSync"  # type: ignore[union-attr]
    tenant.emulator.change_key(tenant.key, scopes=[READ, "sender_accounts:create"])
    tenant.ready()


def a_key_that_may_not_delete_says_so_on_the_object_in_deletion(tenant: Tenant) -> None:
    tenant.make()
    tenant.emulator.change_key(tenant.key, scopes=[READ, "sender_accounts:create"])
    tenant.delete()
    shown = tenant.until("ann", lambda shown: shown.condition("Ready") == "False MissingScopes", "MissingScopes")
    assert "sender_accounts:delete" in shown.message("Ready")
    tenant.inbox()
    tenant.emulator.change_key(tenant.key, scopes=["sender_accounts:all"])
    tenant.gone()
    assert tenant.no_inbox()


def a_429_is_waited_out_as_retry_after_says(tenant: Tenant) -> None:
    _storm(tenant, 3, headers={"Retry-After": "3"}, body={"detail": "Too many requests"})


def a_429_is_waited_out_as_the_reset_header_says(tenant: Tenant) -> None:
    reset = str(int(datetime.now().timestamp()) + 10)  # noqa: DTZ005 - the same instant in every zone
    headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    _storm(tenant, 3, headers=headers, body={"detail": "Too many requests"})


def a_429_is_waited_out_as_its_sentence_says(tenant: Tenant) -> None:
    _storm(tenant, 3, body={"detail": "Rate limit exceeded. Please try again in 3 seconds."})


def _storm(tenant: Tenant, seconds: float, **answer: object) -> None:
    tenant.make()
    fault = tenant.fault("status", status=429, count=1, **answer)
    tenant.emulator.wait_for_fault(fault, seconds=60)
    tenant.make("late")
    asked = tenant.asked()
    answered = next(datetime.fromisoformat(each["at"]) for each in asked if each["status"] == 429)
    began = [datetime.fromisoformat(each["at"]) - timedelta(seconds=each["seconds"]) for each in asked]
    early = [each for each in began if answered < each < answered + timedelta(seconds=seconds - 0.5)]
    assert len(early) <= 1  # one may leave before the operator has read the answer
    assert tenant.look().condition("Ready") == "True Active"  # type: ignore[union-attr]


def a_plan_limit_is_told(tenant: Tenant) -> None:
    fault = tenant.fault(
        "status", status=402, body={"detail": "Your plan allows 5 inboxes"}, operation="createSmtpAccount"
    )
    tenant.apply()
    shown = tenant.shows(Ready="False PlanLimit")
    assert "Your plan allows 5 inboxes" in shown.message("Ready")
    assert len(tenant.asked("createSmtpAccount")) == 1
    tenant.emulator.remove_fault(fault)


def a_delete_whose_answer_is_lost_is_confirmed(tenant: Tenant) -> None:
    for name, when in (("ann", "after"), ("bob", "before")):
        tenant.make(name)
        tenant.fault("cut", when=when, operation="deleteSenderAccount", count=1)
        tenant.remove(name)
        assert tenant.happened(name) == ["created", "deleted"]
