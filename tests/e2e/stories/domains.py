"""Native inboxes wait for their domain."""

from tests.e2e.stage.stage import Stage


def an_unknown_domain_is_told_and_used_once_it_is_there(stage: Stage) -> None:
    name = f"late.{stage.domain}"
    stage.apply("john", "COLDSEND", native={"domainName": name})
    shown = stage.shows("john", Ready="False DomainNotFound")
    assert name in shown.message("Ready")
    stage.emulator.add_domain(name, workspace=stage.workspace)
    stage.annotate("john", reconcile="the domain is there")
    assert stage.ready("john").status["emailAddress"] == f"john@{name}"


def a_full_domain_is_told_with_its_room(stage: Stage) -> None:
    stage.emulator.change_domain(stage.domain, max_inboxes=1)
    stage.make("john", "COLDSEND")
    stage.apply("jane", "COLDSEND")
    shown = stage.shows("jane", Ready="False DomainFull")
    assert "is full (limit 1)" in shown.message("Ready")
    stage.emulator.change_domain(stage.domain, max_inboxes=2)
    stage.annotate("jane", reconcile="there is room")
    stage.ready("jane")
    assert stage.happened("john") == ["created"]


def a_domain_becomes_active_without_anybody_asking(stage: Stage) -> None:
    stage.emulator.change_domain(stage.domain, status="PENDING")
    stage.apply("john", "COLDSEND")
    stage.shows("john", Ready="False DomainNotActive")
    stage.emulator.change_domain(stage.domain, status="ACTIVE")
    stage.ready("john")
