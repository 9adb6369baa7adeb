"""An audit log that cannot be written holds all writes; the objects that wait for one say so."""

from tests.support.desk import ANN, Desk

FULL = "nothing is written to ColdSend while the audit log cannot be: No space left on device"


def test_an_object_that_waits_for_the_audit_log_says_so() -> None:
    desk = Desk()
    (account,) = desk.asked_for(ANN)
    desk.workspace.audit.trouble = FULL
    desk.wait(31.0)
    assert desk.says(account)["Ready"] == ("False", "Provisioning", f"Waiting: {FULL}.")
    desk.workspace.audit.trouble = ""
    assert FULL not in desk.says(account)["Ready"][2]
