"""What becomes of the inbox when the object goes."""

from tests.e2e.stage.stage import GOOGLE, LOGIN, WORKSPACE, Shown, Stage, eventually

FINALIZER = "coldsend.pro/finalizer"


def the_inbox_goes_with_its_object(stage: Stage) -> None:
    for name, inbox_type in (("ann", GOOGLE), ("john", "COLDSEND")):
        stage.apply(name, inbox_type)
        assert FINALIZER in stage.ready(name).raw["metadata"]["finalizers"]
        stage.remove(name)
        assert stage.happened(name) == ["created", "deleted"]


def an_object_whose_inbox_is_gone_already_is_let_go(stage: Stage) -> None:
    stage.make()
    stage.annotate(paused="true")  # so that the inbox is not made again meanwhile
    stage.shows(Synced="False ReconciliationPaused")
    stage.emulator.delete(stage.address())
    stage.remove()
    assert stage.happened() == ["created", "deleted"]


def orphan_leaves_the_inbox(stage: Stage) -> None:
    stage.make(deletionPolicy="Orphan")
    stage.remove()
    assert stage.happened() == ["created"]


def the_policy_of_the_moment_of_deletion_holds(stage: Stage) -> None:
    stage.make()
    stage.edit(deletionPolicy="Orphan")
    stage.remove()
    assert stage.happened() == ["created"]


def an_object_that_never_reached_coldsend_goes_at_once(stage: Stage) -> None:
    stage.drop_secret()
    stage.apply()
    assert FINALIZER not in stage.shows(Ready="False SecretNotFound").raw["metadata"].get("finalizers", [])
    stage.remove()
    assert stage.happened() == []


def force_orphan_lets_go_of_an_object_whose_key_is_gone_for_good(stage: Stage) -> None:
    stage.make()
    stage.emulator.change_key(stage.key, revoked=True)
    stage.until("ann", lambda shown: shown.condition("Synced") == "False Unauthorized", "Unauthorized")
    stage.delete()
    shown = stage.until("ann", lambda shown: "deletionTimestamp" in shown.raw["metadata"], "its deletion")
    assert FINALIZER in shown.raw["metadata"]["finalizers"]
    stage.until("ann", lambda shown: shown.condition("Ready") == "False Unauthorized", "Unauthorized")
    stage.annotate(force_orphan="true")
    stage.gone()
    assert stage.happened() == ["created"]


def a_paused_object_is_deleted_all_the_same(stage: Stage) -> None:
    stage.make()
    stage.annotate(paused="true")
    stage.shows(Synced="False ReconciliationPaused")
    stage.remove()
    assert stage.no_inbox()


def a_namespace_goes_with_keys_passwords_accounts_and_inboxes(stage: Stage) -> None:
    names = ("ann", "bob", "john")
    for name in names:
        stage.apply(name, "COLDSEND" if name == "john" else GOOGLE)
    for name in names:
        stage.ready(name)
    stage.drop_secret(WORKSPACE)
    stage.drop_secret(LOGIN)
    stage.server.delete("Namespace", "", stage.namespace)
    for name in names:
        stage.gone(name)
        assert stage.happened(name) == ["created", "deleted"]
    eventually(lambda: stage.server.get("Namespace", "", stage.namespace) is None, "the end of the namespace")


def an_inbox_is_deleted_without_the_secret_of_its_password(stage: Stage) -> None:
    stage.make()
    stage.drop_secret()
    stage.shows(CredentialsCurrent="False SecretNotFound", Ready="True Active")
    stage.remove()
    assert stage.no_inbox()


def a_status_that_somebody_bent_deletes_no_inbox_of_another(stage: Stage) -> None:
    stage.make()
    stranger = stage.seed("stranger")
    stage.annotate(paused="true")
    stage.shows(Synced="False ReconciliationPaused")
    stage.write_status("ann", {"inboxID": stranger})
    stage.remove()
    assert stage.inbox("stranger")["inbox_id"] == stranger
    assert stage.no_inbox()


def a_policy_of_the_namespace_holds_for_what_is_deleted_right_after_it(stage: Stage) -> None:
    stage.make()
    stage.annotate_namespace(deletion_policy="Orphan")
    stage.remove()
    assert stage.happened() == ["created"]


def a_pause_of_the_namespace_holds_for_what_is_applied_right_after_it(stage: Stage) -> None:
    stage.make("bob")
    stage.annotate_namespace(paused="true")
    stage.apply()
    stage.shows(Ready="False ReconciliationPaused")
    assert stage.no_inbox()


def more_than_ten_deletions_at_once_are_held_until_a_person_approves(stage: Stage) -> None:
    names = [f"n{number}" for number in range(12)]
    stage.make_each(*names)
    stage.delete_all()
    held = [name for name in names if _is_held(stage, name)]
    assert len(held) >= 2
    assert len([name for name in names if stage.no_inbox(name)]) <= 10
    stage.annotate(held[0], approve_deletion="true")
    stage.gone(held[0])
    assert stage.no_inbox(held[0])
    stage.after_sweeps()
    assert not stage.no_inbox(held[1])
    stage.annotate_namespace(approve_deletion="true")
    for name in names:
        stage.gone(name)
        assert stage.no_inbox(name)


def _is_held(stage: Stage, name: str) -> bool:
    """Waits until it is known."""
    raw = stage.world.watch.wait(
        stage.namespace, name, lambda raw: raw is None or "DeletionHeld" in str(raw.get("status"))
    )
    return raw is not None


def finalizers_of_others_are_left_alone(stage: Stage) -> None:
    others = ["example.com/mine", "kopf.zalando.org/KopfFinalizerMarker"]  # another operator with kopf sets the latter
    stage.make()
    finalizers = {"metadata": {"finalizers": [FINALIZER, *others]}}
    stage.server.merge("SenderAccount", stage.namespace, "ann", finalizers)
    stage.delete()
    stage.until("ann", lambda shown: shown.raw["metadata"]["finalizers"] == others, "our end")
    eventually(stage.no_inbox, "the end of the inbox")
    stage.server.merge("SenderAccount", stage.namespace, "ann", {"metadata": {"finalizers": None}})
    stage.gone()


def a_finalizer_that_was_wiped_comes_back(stage: Stage) -> None:
    stage.make()
    wiped = stage.server.merge("SenderAccount", stage.namespace, "ann", {"metadata": {"finalizers": None}})["metadata"]
    assert "finalizers" not in wiped

    def is_back(shown: Shown) -> bool:
        metadata = shown.raw["metadata"]
        later = int(metadata["resourceVersion"]) > int(wiped["resourceVersion"])
        return later and metadata.get("finalizers") == [FINALIZER]

    stage.until("ann", is_back, "the finalizer")
    stage.remove()
    assert stage.no_inbox()
