"""Renames and moves in Git: the inbox is handed over from the old object to the new one."""

from tests.e2e.support import manifests
from tests.e2e.support.tenant import GOOGLE, Tenant, opened_tenant


def a_rename_as_argo_cd_does_it_keeps_the_inbox_and_calls_nobody(tenant: Tenant) -> None:
    tenant.apply("ann")
    first = tenant.known("ann").inbox_id
    tenant.server.apply(tenant.manifest("renamed", emailAddress=tenant.address("ann")))
    shown = tenant.shows("renamed", Ready="False AddressConflict")
    assert "takes the inbox over" in shown.message("Ready")
    tenant.remove("ann")
    shown = tenant.ready("renamed")
    assert shown.inbox_id == first
    assert shown.status["origin"] == "Created"
    assert shown.status["handedOverFrom"] == {"namespace": tenant.namespace, "name": "ann"}
    assert tenant.happened("ann") == ["created"]
    assert "Normal HandedOver" in tenant.events("renamed")
    tenant.remove("renamed")
    assert tenant.happened("ann") == ["created", "deleted"]


def a_rename_that_deletes_first_keeps_the_inbox_too(tenant: Tenant) -> None:
    tenant.apply("ann")
    first = tenant.known("ann").inbox_id
    tenant.delete("ann")
    tenant.server.apply(tenant.manifest("renamed", emailAddress=tenant.address("ann")))
    tenant.gone("ann")
    assert tenant.ready("renamed").inbox_id == first
    assert tenant.happened("ann") == ["created"]


def a_native_inbox_keeps_its_id_over_a_rename(tenant: Tenant) -> None:
    tenant.apply("ann", "COLDSEND")
    first = tenant.known("ann").inbox_id
    native = {"domainName": tenant.domain, "emailPrefix": "ann"}
    tenant.server.apply(tenant.manifest("renamed", "COLDSEND", native=native))
    tenant.remove("ann")
    assert tenant.ready("renamed").inbox_id == first
    assert tenant.happened("ann") == ["created"]


def an_inbox_moves_to_the_namespace_that_its_object_names(tenant: Tenant) -> None:
    tenant.apply("ann")
    first = tenant.known("ann").inbox_id
    with opened_tenant(tenant.world, "the_other_team", tenant.labels) as other:
        other.secret("workspace", apiKey=tenant.key)
        tenant.annotate("ann", hand_over_to=f"{other.namespace}/mine")
        tenant.delete("ann")
        tenant.shows("ann", Ready="False DeletionHeld")
        spec = manifests.smtp_spec(GOOGLE, tenant.address("ann"), "login") | {"apiKeySecretRef": {"name": "workspace"}}
        mine = {**spec, "adoptionPolicy": "Adopt"}
        other.server.apply(manifests.account(other.namespace, "mine", mine, other.labels))
        tenant.gone("ann")
        shown = other.until("mine", lambda shown: shown.status.get("inboxID") == first, "the inbox")
        assert shown.status["handedOverFrom"] == {"namespace": tenant.namespace, "name": "ann"}
        other.delete("mine")
        other.gone("mine")
    assert tenant.happened("ann") == ["created", "deleted"]


def a_restored_object_that_adopts_sends_no_mail_a_second_time(tenant: Tenant) -> None:
    recipient = f"ops@{tenant.domain}"
    mail = {"recipient": recipient, "requestID": "1"}
    tenant.apply(testEmail=mail, deletionPolicy="Orphan")
    tenant.until("ann", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")
    tenant.remove()
    tenant.apply(testEmail=mail, adoptionPolicy="Adopt")
    shown = tenant.ready(reason="Adopted")
    assert "No mail was sent" in shown.status["testEmail"]["error"]
    tenant.after_sweeps()
    assert len(tenant.emulator.mails(recipient)) == 1
    tenant.edit(testEmail={"requestID": "2"})
    tenant.until("ann", lambda shown: "sentAt" in shown.status["testEmail"], "the second mail")
    assert len(tenant.emulator.mails(recipient)) == 2
