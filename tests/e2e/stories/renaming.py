"""Renames and moves in Git: the inbox is handed over from the old object to the new one."""

from tests.e2e.stage import manifests
from tests.e2e.stage.stage import GOOGLE, Stage, staged


def a_rename_as_argo_cd_does_it_keeps_the_inbox_and_calls_nobody(stage: Stage) -> None:
    stage.apply("ann")
    first = stage.known("ann").inbox_id
    stage.server.apply(stage.manifest("renamed", emailAddress=stage.address("ann")))
    shown = stage.shows("renamed", Ready="False AddressConflict")
    assert "takes the inbox over" in shown.message("Ready")
    stage.remove("ann")
    shown = stage.ready("renamed")
    assert shown.inbox_id == first
    assert shown.status["origin"] == "Created"
    assert shown.status["handedOverFrom"] == {"namespace": stage.namespace, "name": "ann"}
    assert stage.happened("ann") == ["created"]
    assert "Normal HandedOver" in stage.events("renamed")
    stage.remove("renamed")
    assert stage.happened("ann") == ["created", "deleted"]


def a_rename_that_deletes_first_keeps_the_inbox_too(stage: Stage) -> None:
    stage.apply("ann")
    first = stage.known("ann").inbox_id
    stage.delete("ann")
    stage.server.apply(stage.manifest("renamed", emailAddress=stage.address("ann")))
    stage.gone("ann")
    assert stage.ready("renamed").inbox_id == first
    assert stage.happened("ann") == ["created"]


def a_native_inbox_keeps_its_id_over_a_rename(stage: Stage) -> None:
    stage.apply("ann", "COLDSEND")
    first = stage.known("ann").inbox_id
    native = {"domainName": stage.domain, "emailPrefix": "ann"}
    stage.server.apply(stage.manifest("renamed", "COLDSEND", native=native))
    stage.remove("ann")
    assert stage.ready("renamed").inbox_id == first
    assert stage.happened("ann") == ["created"]


def an_inbox_moves_to_the_namespace_that_its_object_names(stage: Stage) -> None:
    stage.apply("ann")
    first = stage.known("ann").inbox_id
    with staged(stage.world, "the_other_team", stage.labels) as other:
        other.secret("workspace", apiKey=stage.key)
        stage.annotate("ann", hand_over_to=f"{other.namespace}/mine")
        stage.delete("ann")
        stage.shows("ann", Ready="False DeletionHeld")
        spec = manifests.smtp_spec(GOOGLE, stage.address("ann"), "login") | {"apiKeySecretRef": {"name": "workspace"}}
        mine = {**spec, "adoptionPolicy": "Adopt"}
        other.server.apply(manifests.account(other.namespace, "mine", mine, other.labels))
        stage.gone("ann")
        shown = other.until("mine", lambda shown: shown.status.get("inboxID") == first, "the inbox")
        assert shown.status["handedOverFrom"] == {"namespace": stage.namespace, "name": "ann"}
        other.delete("mine")
        other.gone("mine")
    assert stage.happened("ann") == ["created", "deleted"]


def a_restored_object_that_adopts_sends_no_mail_a_second_time(stage: Stage) -> None:
    recipient = f"ops@{stage.domain}"
    mail = {"recipient": recipient, "requestID": "1"}
    stage.apply(testEmail=mail, deletionPolicy="Orphan")
    stage.until("ann", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")
    stage.remove()
    stage.apply(testEmail=mail, adoptionPolicy="Adopt")
    shown = stage.ready(reason="Adopted")
    assert "No mail was sent" in shown.status["testEmail"]["error"]
    stage.after_sweeps()
    assert len(stage.emulator.mails(recipient)) == 1
    stage.edit(testEmail={"requestID": "2"})
    stage.until("ann", lambda shown: "sentAt" in shown.status["testEmail"], "the second mail")
    assert len(stage.emulator.mails(recipient)) == 2
