"""What becomes of the inbox when the object goes."""

from tests.e2e.support.tenant import GOOGLE, LOGIN, WORKSPACE, Shown, Tenant, eventually

FINALIZER = "coldsend.pro/finalizer"


def the_inbox_goes_with_its_object(tenant: Tenant) -> None:
    for name, inbox_type in (("ann", GOOGLE), ("john", "COLDSEND")):
        tenant.apply(name, inbox_type)
        assert FINALIZER in tenant.ready(name).raw["metadata"]["finalizers"]
        tenant.remove(name)
        assert tenant.happened(name) == ["created", "deleted"]


def an_object_whose_inbox_is_gone_already_is_let_go(tenant: Tenant) -> None:
    tenant.make()
    tenant.annotate(paused="true")  # so that the inbox is not made again meanwhile
    tenant.shows(Synced="False ReconciliationPaused")
    tenant.emulator.delete(tenant.address())
    tenant.remove()
    assert tenant.happened() == ["created", "deleted"]


def orphan_leaves_the_inbox(tenant: Tenant) -> None:
    tenant.make(deletionPolicy="Orphan")
    tenant.remove()
    assert tenant.happened() == ["created"]


def the_policy_of_the_moment_of_deletion_holds(tenant: Tenant) -> None:
    tenant.make()
    tenant.edit(deletionPolicy="Orphan")
    tenant.remove()
    assert tenant.happened() == ["created"]


def an_object_that_never_reached_coldsend_goes_at_once(tenant: Tenant) -> None:
    tenant.drop_secret()
    tenant.apply()
    assert FINALIZER not in tenant.shows(Ready="False SecretNotFound").raw["metadata"].get("finalizers", [])
    tenant.remove()
    assert tenant.happened() == []


def force_orphan_lets_go_of_an_object_whose_key_is_gone_for_good(tenant: Tenant) -> None:
    tenant.make()
    tenant.emulator.change_key(tenant.key, revoked=True)
    tenant.until("ann", lambda shown: shown.condition("Synced") == "False Unauthorized", "Unauthorized")
    tenant.delete()
    shown = tenant.until("ann", lambda shown: "deletionTimestamp" in shown.raw["metadata"], "its deletion")
    assert FINALIZER in shown.raw["metadata"]["finalizers"]
    tenant.until("ann", lambda shown: shown.condition("Ready") == "False Unauthorized", "Unauthorized")
    tenant.annotate(force_orphan="true")
    tenant.gone()
    assert tenant.happened() == ["created"]


def a_paused_object_is_deleted_all_the_same(tenant: Tenant) -> None:
    tenant.make()
    tenant.annotate(paused="true")
    tenant.shows(Synced="False ReconciliationPaused")
    tenant.remove()
    assert tenant.no_inbox()


def a_namespace_goes_with_keys_passwords_accounts_and_inboxes(tenant: Tenant) -> None:
    names = ("ann", "bob", "john")
    for name in names:
        tenant.apply(name, "COLDSEND" if name == "john" else GOOGLE)
    for name in names:
        tenant.ready(name)
    tenant.drop_secret(WORKSPACE)
    tenant.drop_secret(LOGIN)
    tenant.server.delete("Namespace", "", tenant.namespace)
    for name in names:
        tenant.gone(name)
        assert tenant.happened(name) == ["created", "deleted"]
    eventually(lambda: tenant.server.get("Namespace", "", tenant.namespace) is None, "the end of the namespace")


def an_inbox_is_deleted_without_the_secret_of_its_password(tenant: Tenant) -> None:
    tenant.make()
    tenant.drop_secret()
    tenant.shows(CredentialsCurrent="False SecretNotFound", Ready="True Active")
    tenant.remove()
    assert tenant.no_inbox()


def a_status_that_somebody_bent_deletes_no_inbox_of_another(tenant: Tenant) -> None:
    tenant.make()
    stranger = tenant.seed("stranger")
    tenant.annotate(paused="true")
    tenant.shows(Synced="False ReconciliationPaused")
    tenant.write_status("ann", {"inboxID": stranger})
    tenant.remove()
    assert tenant.inbox("stranger")["inbox_id"] == stranger
    assert tenant.no_inbox()


def a_policy_of_the_namespace_holds_for_what_is_deleted_right_after_it(tenant: Tenant) -> None:
    tenant.make()
    tenant.annotate_namespace(deletion_policy="Orphan")
    tenant.remove()
    assert tenant.happened() == ["created"]


def a_pause_of_the_namespace_holds_for_what_is_applied_right_after_it(tenant: Tenant) -> None:
    tenant.make("bob")
    tenant.annotate_namespace(paused="true")
    tenant.apply()
    tenant.shows(Ready="False ReconciliationPaused")
    assert tenant.no_inbox()


def more_than_ten_deletions_at_once_are_held_until_a_person_approves(tenant: Tenant) -> None:
    names = [f"n{number}" for number in range(12)]
    tenant.make_each(*names)
    tenant.delete_all()
    held = [name for name in names if _is_held(tenant, name)]
    assert len(held) >= 2
    assert len([name for name in names if tenant.no_inbox(name)]) <= 10
    tenant.annotate(held[0], approve_deletion="true")
    tenant.gone(held[0])
    assert tenant.no_inbox(held[0])
    tenant.after_sweeps()
    assert not tenant.no_inbox(held[1])
    tenant.annotate_namespace(approve_deletion="true")
    for name in names:
        tenant.gone(name)
        assert tenant.no_inbox(name)


def _is_held(tenant: Tenant, name: str) -> bool:
    """Waits until it is known."""
    raw = tenant.world.watch.wait(
        tenant.namespace, name, lambda raw: raw is None or "DeletionHeld" in str(raw.get("status"))
    )
    return raw is not None


def finalizers_of_others_are_left_alone(tenant: Tenant) -> None:
    others = ["example.com/mine", "kopf.zalando.org/KopfFinalizerMarker"]  # another operator with kopf sets the latter
    tenant.make()
    finalizers = {"metadata": {"finalizers": [FINALIZER, *others]}}
    tenant.server.merge("SenderAccount", tenant.namespace, "ann", finalizers)
    tenant.delete()
    tenant.until("ann", lambda shown: shown.raw["metadata"]["finalizers"] == others, "our end")
    eventually(tenant.no_inbox, "the end of the inbox")
    tenant.server.merge("SenderAccount", tenant.namespace, "ann", {"metadata": {"finalizers": None}})
    tenant.gone()


def a_finalizer_that_was_wiped_comes_back(tenant: Tenant) -> None:
    tenant.make()
    wiped = tenant.server.merge("SenderAccount", tenant.namespace, "ann", {"metadata": {"finalizers": None}})[
        "metadata"
    ]
    assert "finalizers" not in wiped

    def is_back(shown: Shown) -> bool:
        metadata = shown.raw["metadata"]
        later = int(metadata["resourceVersion"]) > int(wiped["resourceVersion"])
        return later and metadata.get("finalizers") == [FINALIZER]

    tenant.until("ann", is_back, "the finalizer")
    tenant.remove()
    assert tenant.no_inbox()
