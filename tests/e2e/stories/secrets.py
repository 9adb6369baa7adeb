"""Passwords and keys: late, incomplete, wrong, renewed; all without a touch of the object."""

from tests.e2e.stage.stage import GOOGLE, LOGIN, WORKSPACE, Stage


def a_secret_that_comes_late_is_picked_up(stage: Stage) -> None:
    stage.drop_secret()
    stage.apply()
    shown = stage.shows(Ready="False SecretNotFound", CredentialsCurrent="False SecretNotFound")
    assert "Secret login (spec.smtp.passwordSecretRef)" in shown.message("Ready")
    stage.secret(password=stage.password)
    assert stage.ready().generation == 1
    assert stage.emulator.has_passwords(stage.inbox()["inbox_id"], stage.password)


def a_secret_without_the_key_is_told_and_picked_up_when_it_has_it(stage: Stage) -> None:
    stage.secret(other=stage.password)
    stage.apply()
    shown = stage.shows(Ready="False SecretKeyNotFound")
    assert "Key password of Secret login" in shown.message("Ready")
    assert "is missing" in shown.message("Ready")
    stage.secret(other=stage.password, password=stage.password)
    stage.ready()


def an_empty_password_is_never_sent(stage: Stage) -> None:
    stage.secret(password="")
    stage.apply()
    assert "is empty" in stage.shows(Ready="False SecretKeyNotFound").message("Ready")
    assert stage.asked("createSmtpAccount") == []
    stage.secret(password=stage.password)
    stage.ready()


def a_persons_word_accepts_the_secret_as_what_coldsend_has(stage: Stage) -> None:
    stage.make()
    stage.secret(password=f"{stage.password} renewed in the dashboard")
    stage.shows(CredentialsCurrent="False SecretChanged")
    stage.annotate(reconcile="looked at")
    stage.value("lastReconcileRequest", "looked at")
    stage.shows(CredentialsCurrent="False SecretChanged")
    stage.annotate(**{"credentials-current": "renewed by hand"})
    shown = stage.shows(Synced="True InSync", CredentialsCurrent="True SecretUnchanged")
    assert shown.status["lastCredentialsCurrentRequest"] == "renewed by hand"
    assert stage.happened() == ["created"]


def a_password_that_the_server_refuses_is_told_and_tried_again_when_it_changes(stage: Stage) -> None:
    wrong = f"{stage.password} wrong"
    stage.emulator.break_connections(passwords=[wrong])
    stage.secret(password=wrong)
    stage.apply()
    shown = stage.shows(Ready="False ConnectionFailed")
    assert "refused the inbox" in shown.message("Ready")
    stage.after_sweeps()
    assert len(stage.asked("createSmtpAccount")) == 1
    stage.secret(password=stage.password)
    stage.ready()


def a_refusal_that_only_time_may_cure_is_tried_again_when_a_person_asks(stage: Stage) -> None:
    refusal = {"detail": [{"loc": ["body", "smtp_host"], "msg": "is not allowed here", "type": "value_error"}]}
    stage.fault("status", status=422, body=refusal, operation="createSmtpAccount", count=1)
    stage.apply()
    shown = stage.shows(Ready="False Rejected")
    assert "is not allowed here" in shown.message("Ready")
    stage.after_sweeps()
    assert len(stage.asked("createSmtpAccount")) == 1
    stage.annotate(reconcile="now")
    stage.ready()


def a_key_that_comes_late_is_picked_up(stage: Stage) -> None:
    stage.drop_secret(WORKSPACE)
    stage.apply()
    shown = stage.shows(Ready="False SecretNotFound")
    assert "Secret workspace (spec.apiKeySecretRef)" in shown.message("Ready")
    stage.secret(WORKSPACE, other=stage.key)
    stage.shows(Ready="False SecretKeyNotFound")
    stage.secret(WORKSPACE, apiKey=f"{stage.key}\n")
    stage.ready()


def a_rotated_key_of_the_same_workspace_goes_on_with_the_same_inboxes(stage: Stage) -> None:
    before = stage.make()
    second = f"{stage.key}_2"
    stage.emulator.add_key(second, workspace=stage.workspace)
    stage.secret(WORKSPACE, apiKey=second)
    stage.emulator.change_key(stage.key, revoked=True)
    stage.make("bob")
    assert stage.ready().inbox_id == before.inbox_id
    stage.remove()
    assert stage.happened() == ["created", "deleted"]


def a_key_swapped_for_that_of_another_workspace_sends_nothing_there(stage: Stage) -> None:
    before = stage.make()
    foreign, other = f"{stage.key}_foreign", f"{stage.workspace}-foreign"
    stage.emulator.add_key(foreign, workspace=other)
    stage.secret(WORKSPACE, apiKey=foreign)
    shown = stage.shows(Ready="True Active", Synced="False InventoryImplausible")
    assert shown.inbox_id == before.inbox_id
    stage.apply("bob")
    stage.shows("bob", Ready="False InventoryImplausible")
    assert [each for each in stage.emulator.requests(operation="createSmtpAccount") if each["workspace"] == other] == []
    stage.secret(WORKSPACE, apiKey=stage.key)
    assert stage.ready().inbox_id == before.inbox_id
    stage.ready("bob")
    assert stage.happened() == ["created"]
    assert stage.emulator.inboxes(workspace=other) == []


def one_secret_with_a_key_for_each_inbox_serves_them_all(stage: Stage) -> None:
    stage.secret(LOGIN, ann=f"{stage.password} a", bob=f"{stage.password} b")
    for name in ("ann", "bob"):
        stage.apply(name, GOOGLE, smtp={"passwordSecretRef": {"name": LOGIN, "key": name}})
    for name, suffix in (("ann", "a"), ("bob", "b")):
        stage.ready(name)
        assert stage.emulator.has_passwords(stage.inbox(name)["inbox_id"], f"{stage.password} {suffix}")


def what_coldsend_says_of_a_secret_is_shown_without_it(stage: Stage) -> None:
    said = f"The key {stage.key} and the password {stage.password!r} are weak"
    quoted = {"loc": ["body", "smtp_password"], "msg": said, "type": "value_error", "input": stage.password}
    for name, code, detail in (("ann", 422, [quoted]), ("bob", 400, said), ("carol", 409, said)):
        stage.fault("status", status=code, body={"detail": detail}, operation="createSmtpAccount", count=1)
        stage.apply(name)
        stage.until(name, lambda shown: shown.condition("Ready").startswith("False"), "a refusal")
    stage.after_sweeps()
