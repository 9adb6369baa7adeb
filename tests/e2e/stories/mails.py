"""Test mails reach real people: at most one for each requestID."""

from tests.e2e.support.tenant import Tenant

OPS = "ops@example.org"


def a_test_mail_is_sent_once_for_each_request_id(tenant: Tenant) -> None:
    recipient = f"ops@{tenant.domain}"
    tenant.apply(testEmail={"recipient": recipient, "requestID": "1"})
    shown = tenant.until("ann", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")
    mail = shown.status["testEmail"]
    assert (mail["requestID"], mail["recipient"]) == ("1", recipient)
    assert set(mail) == {"requestID", "recipient", "startedAt", "sentAt", "messageID"}
    tenant.after_sweeps()
    tenant.edit(displayName="Ann Renamed")
    tenant.shows(Synced="False UpdateNotSupported")
    assert [each["message_id"] for each in tenant.emulator.mails(recipient)] == [mail["messageID"]]
    tenant.edit(testEmail={"requestID": "2"})
    tenant.until("ann", lambda shown: shown.status["testEmail"].get("requestID") == "2", "the second mail")
    tenant.until("ann", lambda shown: "sentAt" in shown.status["testEmail"], "the second mail")
    assert len(tenant.emulator.mails(recipient)) == 2


def a_test_mail_waits_until_the_inbox_can_send(tenant: Tenant) -> None:
    recipient = f"ops@{tenant.domain}"
    tenant.make()
    tenant.emulator.change(tenant.address(), overall_status="PAUSED")
    tenant.shows(Ready="False Paused")
    tenant.edit(testEmail={"recipient": recipient, "requestID": "1"})
    tenant.shows(Ready="False Paused")
    tenant.after_sweeps()
    assert tenant.emulator.mails(recipient) == []
    tenant.emulator.change(tenant.address(), overall_status="ACTIVE")
    tenant.until("ann", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")


def a_test_mail_whose_answer_is_lost_is_not_sent_again(tenant: Tenant) -> None:
    recipient = f"ops@{tenant.domain}"
    tenant.fault("cut", when="after", operation="sendTestEmail", count=1)
    tenant.apply(testEmail={"recipient": recipient, "requestID": "1"})
    shown = tenant.until("ann", lambda shown: "error" in shown.status.get("testEmail", {}), "an error")
    assert "may have been sent" in shown.status["testEmail"]["error"]
    tenant.after_sweeps()
    assert len(tenant.emulator.mails(recipient)) == 1
    assert len(tenant.asked("sendTestEmail")) == 1


def an_observer_sends_no_test_mail(tenant: Tenant) -> None:
    tenant.seed()
    tenant.server.apply(tenant.observer(testEmail={"recipient": OPS, "requestID": "1"}))
    tenant.shows(Ready="True Active")
    tenant.after_sweeps()
    assert tenant.asked("sendTestEmail") == []
