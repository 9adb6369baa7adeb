"""Passwords and keys: late, incomplete, wrong, renewed; all without a touch of the object."""

from tests.e2e.support.tenant import GOOGLE, LOGIN, WORKSPACE, Tenant


def a_secret_that_comes_late_is_picked_up(tenant: Tenant) -> None:
    tenant.drop_secret()
    tenant.apply()
    shown = tenant.shows(Ready="False SecretNotFound", CredentialsCurrent="False SecretNotFound")
    assert "Secret login (spec.smtp.passwordSecretRef)" in shown.message("Ready")
    tenant.secret(password=tenant.password)
    assert tenant.ready().generation == 1
    assert tenant.emulator.has_passwords(tenant.inbox()["inbox_id"], tenant.password)


def a_secret_without_the_key_is_told_and_picked_up_when_it_has_it(tenant: Tenant) -> None:
    tenant.secret(other=tenant.password)
    tenant.apply()
    shown = tenant.shows(Ready="False SecretKeyNotFound")
    assert "Key password of Secret login" in shown.message("Ready")
    assert "is missing" in shown.message("Ready")
    tenant.secret(other=tenant.password, password=tenant.password)
    tenant.ready()


def an_empty_password_is_never_sent(tenant: Tenant) -> None:
    tenant.secret(password="")
    tenant.apply()
    assert "is empty" in tenant.shows(Ready="False SecretKeyNotFound").message("Ready")
    assert tenant.asked("createSmtpAccount") == []
    tenant.secret(password=tenant.password)
    tenant.ready()


def a_persons_word_accepts_the_secret_as_what_coldsend_has(tenant: Tenant) -> None:
    tenant.make()
    tenant.secret(password=f"{tenant.password} renewed in the dashboard")
    tenant.shows(CredentialsCurrent="False SecretChanged")
    tenant.annotate(reconcile="looked at")
    tenant.value("lastReconcileRequest", "looked at")
    tenant.shows(CredentialsCurrent="False SecretChanged")
    tenant.annotate(**{"credentials-current": "renewed by hand"})
    shown = tenant.shows(Synced="True InSync", CredentialsCurrent="True SecretUnchanged")
    assert shown.status["lastCredentialsCurrentRequest"] == "renewed by hand"
    assert tenant.happened() == ["created"]


def a_password_that_the_server_refuses_is_told_and_tried_again_when_it_changes(tenant: Tenant) -> None:
    wrong = f"{tenant.password} wrong"
    tenant.emulator.break_connections(passwords=[wrong])
    tenant.secret(password=wrong)
    tenant.apply()
    shown = tenant.shows(Ready="False ConnectionFailed")
    assert "refused the inbox" in shown.message("Ready")
    tenant.after_sweeps()
    assert len(tenant.asked("createSmtpAccount")) == 1
    tenant.secret(password=tenant.password)
    tenant.ready()


def a_refusal_that_only_time_may_cure_is_tried_again_when_a_person_asks(tenant: Tenant) -> None:
    refusal = {"detail": [{"loc": ["body", "smtp_host"], "msg": "is not allowed here", "type": "value_error"}]}
    tenant.fault("status", status=422, body=refusal, operation="createSmtpAccount", count=1)
    tenant.apply()
    shown = tenant.shows(Ready="False Rejected")
    assert "is not allowed here" in shown.message("Ready")
    tenant.after_sweeps()
    assert len(tenant.asked("createSmtpAccount")) == 1
    tenant.annotate(reconcile="now")
    tenant.ready()


def a_key_that_comes_late_is_picked_up(tenant: Tenant) -> None:
    tenant.drop_secret(WORKSPACE)
    tenant.apply()
    shown = tenant.shows(Ready="False SecretNotFound")
    assert "Secret workspace (spec.apiKeySecretRef)" in shown.message("Ready")
    tenant.secret(WORKSPACE, other=tenant.key)
    tenant.shows(Ready="False SecretKeyNotFound")
    tenant.secret(WORKSPACE, apiKey=f"{tenant.key}\n")
    tenant.ready()


def a_rotated_key_of_the_same_workspace_goes_on_with_the_same_inboxes(tenant: Tenant) -> None:
    before = tenant.make()
    second = f"{tenant.key}_2"
    tenant.emulator.add_key(second, workspace=tenant.workspace)
    tenant.secret(WORKSPACE, apiKey=second)
    tenant.emulator.change_key(tenant.key, revoked=True)
    tenant.make("bob")
    assert tenant.ready().inbox_id == before.inbox_id
    tenant.remove()
    assert tenant.happened() == ["created", "deleted"]


def a_key_swapped_for_that_of_another_workspace_sends_nothing_there(tenant: Tenant) -> None:
    before = tenant.make()
    foreign, other = f"{tenant.key}_foreign", f"{tenant.workspace}-foreign"
    tenant.emulator.add_key(foreign, workspace=other)
    tenant.secret(WORKSPACE, apiKey=foreign)
    shown = tenant.shows(Ready="True Active", Synced="False InventoryImplausible")
    assert shown.inbox_id == before.inbox_id
    tenant.apply("bob")
    tenant.shows("bob", Ready="False InventoryImplausible")
    assert [
        each for each in tenant.emulator.requests(operation="createSmtpAccount") if each["workspace"] == other
    ] == []
    tenant.secret(WORKSPACE, apiKey=tenant.key)
    assert tenant.ready().inbox_id == before.inbox_id
    tenant.ready("bob")
    assert tenant.happened() == ["created"]
    assert tenant.emulator.inboxes(workspace=other) == []


def one_secret_with_a_key_for_each_inbox_serves_them_all(tenant: Tenant) -> None:
    tenant.secret(LOGIN, ann=f"{tenant.password} a", bob=f"{tenant.password} b")
    for name in ("ann", "bob"):
        tenant.apply(name, GOOGLE, smtp={"passwordSecretRef": {"name": LOGIN, "key": name}})
    for name, suffix in (("ann", "a"), ("bob", "b")):
        tenant.ready(name)
        assert tenant.emulator.has_passwords(tenant.inbox(name)["inbox_id"], f"{tenant.password} {suffix}")


def what_coldsend_says_of_a_secret_is_shown_without_it(tenant: Tenant) -> None:
    said = f"The key {tenant.key} and the password {tenant.password!r} are weak"
    quoted = {"loc": ["body", "smtp_password"], "msg": said, "type": "value_error", "input": tenant.password}
    for name, code, detail in (("ann", 422, [quoted]), ("bob", 400, said), ("carol", 409, said)):
        tenant.fault("status", status=code, body={"detail": detail}, operation="createSmtpAccount", count=1)
        tenant.apply(name)
        tenant.until(name, lambda shown: shown.condition("Ready").startswith("False"), "a refusal")
    tenant.after_sweeps()
