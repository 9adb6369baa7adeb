"""Native inboxes wait for their domain."""

from tests.e2e.support.tenant import Tenant


def an_unknown_domain_is_told_and_used_once_it_is_there(tenant: Tenant) -> None:
    name = f"late.{tenant.domain}"
    tenant.apply("john", "COLDSEND", native={"domainName": name})
    shown = tenant.shows("john", Ready="False DomainNotFound")
    assert name in shown.message("Ready")
    tenant.emulator.add_domain(name, workspace=tenant.workspace)
    tenant.annotate("john", reconcile="the domain is there")
    assert tenant.ready("john").status["emailAddress"] == f"john@{name}"


def a_full_domain_is_told_with_its_room(tenant: Tenant) -> None:
    tenant.emulator.change_domain(tenant.domain, max_inboxes=1)
    tenant.make("john", "COLDSEND")
    tenant.apply("jane", "COLDSEND")
    shown = tenant.shows("jane", Ready="False DomainFull")
    assert "is full (limit 1)" in shown.message("Ready")
    tenant.emulator.change_domain(tenant.domain, max_inboxes=2)
    tenant.annotate("jane", reconcile="there is room")
    tenant.ready("jane")
    assert tenant.happened("john") == ["created"]


def a_domain_becomes_active_without_anybody_asking(tenant: Tenant) -> None:
    tenant.emulator.change_domain(tenant.domain, status="PENDING")
    tenant.apply("john", "COLDSEND")
    tenant.shows("john", Ready="False DomainNotActive")
    tenant.emulator.change_domain(tenant.domain, status="ACTIVE")
    tenant.ready("john")
