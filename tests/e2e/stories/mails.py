"""Test mails reach real people: at most one for each requestID."""

from tests.e2e.stage.stage import Stage

OPS = "ops@example.org"


def a_test_mail_is_sent_once_for_each_request_id(stage: Stage) -> None:
    recipient = f"ops@{stage.domain}"
    stage.apply(testEmail={"recipient": recipient, "requestID": "1"})
    shown = stage.until("ann", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")
    mail = shown.status["testEmail"]
    assert (mail["requestID"], mail["recipient"]) == ("1", recipient)
    assert set(mail) == {"requestID", "recipient", "startedAt", "sentAt", "messageID"}
    stage.after_sweeps()
    stage.edit(displayName="Ann Renamed")
    stage.shows(Synced="False UpdateNotSupported")
    assert [each["message_id"] for each in stage.emulator.mails(recipient)] == [mail["messageID"]]
    stage.edit(testEmail={"requestID": "2"})
    stage.until("ann", lambda shown: shown.status["testEmail"].get("requestID") == "2", "the second mail")
    stage.until("ann", lambda shown: "sentAt" in shown.status["testEmail"], "the second mail")
    assert len(stage.emulator.mails(recipient)) == 2


def a_test_mail_waits_until_the_inbox_can_send(stage: Stage) -> None:
    recipient = f"ops@{stage.domain}"
    stage.make()
    stage.emulator.change(stage.address(), overall_status="PAUSED")
    stage.shows(Ready="False Paused")
    stage.edit(testEmail={"recipient": recipient, "requestID": "1"})
    stage.shows(Ready="False Paused")
    stage.after_sweeps()
    assert stage.emulator.mails(recipient) == []
    stage.emulator.change(stage.address(), overall_status="ACTIVE")
    stage.until("ann", lambda shown: "sentAt" in shown.status.get("testEmail", {}), "a mail that was sent")


def a_test_mail_whose_answer_is_lost_is_not_sent_again(stage: Stage) -> None:
    recipient = f"ops@{stage.domain}"
    stage.fault("cut", when="after", operation="sendTestEmail", count=1)
    stage.apply(testEmail={"recipient": recipient, "requestID": "1"})
    shown = stage.until("ann", lambda shown: "error" in shown.status.get("testEmail", {}), "an error")
    assert "may have been sent" in shown.status["testEmail"]["error"]
    stage.after_sweeps()
    assert len(stage.emulator.mails(recipient)) == 1
    assert len(stage.asked("sendTestEmail")) == 1


def an_observer_sends_no_test_mail(stage: Stage) -> None:
    stage.seed()
    stage.server.apply(stage.observer(testEmail={"recipient": OPS, "requestID": "1"}))
    stage.shows(Ready="True Active")
    stage.after_sweeps()
    assert stage.asked("sendTestEmail") == []
