"""An audit log that cannot be written holds all writes; the objects that wait for one say so."""

from tests.support.core_world import ANN, CoreWorld

FULL = "nothing is written to ColdSend while the audit log cannot be: No space left on device"


def test_an_object_that_waits_for_the_audit_log_says_so() -> None:
    core = CoreWorld()
    (account,) = core.asked_for(ANN)
    core.workspace.audit.trouble = FULL
    core.wait(31.0)
    assert core.says(account)["Ready"] == ("False", "Provisioning", f"Waiting: {FULL}.")
    core.workspace.audit.trouble = ""
    assert FULL not in core.says(account)["Ready"][2]
