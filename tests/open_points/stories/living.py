"""From apply to gone: what people see must be the same under every reading of the API."""

from tests.open_points.place import NAMES, Place

NATIVE = "COLDSEND"


def one_is_made_once_and_deleted_once(place: Place) -> None:
    place.apply()
    _are_the_ones(place, ("ann",))
    place.remove()
    assert place.happened() == ["created", "deleted"]
    assert place.creates == 1


def several_are_made_once_and_deleted_once(place: Place) -> None:
    place.apply_all()
    _are_the_ones(place, NAMES)
    assert place.shared("bulkCreateSmtpAccounts")
    place.remove_all()
    assert place.histories() == {("created", "deleted")}
    assert place.shared("bulkDeleteSenderAccounts")
    assert place.creates <= 2 * len(NAMES)
    assert place.deletes <= 2 * len(NAMES)


def a_native_one_is_made_once_and_deleted_once(place: Place) -> None:
    place.apply("ann", NATIVE)
    _are_the_ones(place, ("ann",))
    place.remove()
    assert place.happened() == ["created", "deleted"]
    assert place.creates == 1


def several_native_ones_are_made_once_and_deleted_once(place: Place) -> None:
    place.apply_all(NATIVE)
    _are_the_ones(place, NAMES)
    assert place.shared("bulkCreateNativeInboxes")
    place.remove_all()
    assert place.histories() == {("created", "deleted")}
    assert place.creates <= len(NAMES)


def each_type_is_taken_as_it_is_sent(place: Place) -> None:
    for name, inbox_type in _TYPES.items():
        place.apply(name, inbox_type)
    _are_the_ones(place, tuple(_TYPES))
    place.apply_all(NATIVE, ("n1", "n2", "n3"))
    place.apply_all("CUSTOM_SMTP", ("c1", "c2", "c3"))
    place.all_ready(("n1", "n2", "n3", "c1", "c2", "c3"))
    assert place.emulator.has_passwords(place.address("c1"), place.password)


_TYPES = {"ann": "GOOGLE_WORKSPACE", "ben": "OUTLOOK_365", "cat": "CUSTOM_SMTP", "dan": NATIVE}


def an_address_is_the_same_in_capitals(place: Place) -> None:
    address = f"Ann.Smith@{place.domain.upper()}"
    place.apply(emailAddress=address)
    place.apply("ben", emailAddress=f"BEN@{place.domain}")
    place.apply("cat", emailAddress=f"Cat@{place.domain}")
    for name in ("ann", "ben", "cat"):
        shown = place.ready(name)
        assert shown.status["emailAddress"].lower() == place.server_spec(name)["emailAddress"].lower()
    assert len(place.all_ours()) == 3
    before = place.ready("ben").inbox_id
    place.emulator.delete(before)
    place.another_inbox(before, "ben")
    place.ready("ben")
    place.remove_all(("ann", "ben", "cat"))
    assert place.all_ours() == []


def a_pending_one_is_told_as_pending(place: Place) -> None:
    place.apply()
    place.shows(Ready="False Pending")
    place.ready()
    assert place.happened() == ["created"]
    assert place.creates == 1
    place.remove()


def a_native_one_becomes_ready_when_it_is_active(place: Place) -> None:
    place.apply("ann", NATIVE)
    place.ready()
    place.make_all(NATIVE, NAMES[1:])
    assert place.histories() == {("created",)}


def an_inbox_is_deleted_and_made_again(place: Place) -> None:
    before = place.make(updatePolicy="Recreate")
    place.secret("login", password="hush another")
    after = place.another_inbox(before.inbox_id)
    place.shows(Ready="True Active", Synced="True InSync", CredentialsCurrent="True SecretUnchanged")
    assert place.happened() == ["created", "deleted", "created"]
    assert place.emulator.has_passwords(after.inbox_id, "hush another")
    assert place.creates <= 8


def several_are_deleted_and_applied_again(place: Place) -> None:
    place.make_all()
    place.remove_all()
    place.make_all()
    assert place.histories() == {("created", "deleted", "created")}
    assert place.creates <= 40


def a_changed_secret_is_told_and_nothing_is_called(place: Place) -> None:
    before = place.make()
    place.secret("login", password="hush another")
    shown = place.shows(Ready="True Active", Synced="False SecretChanged", CredentialsCurrent="False SecretChanged")
    assert "updatePolicy: Recreate" in shown.message("Synced")
    assert shown.inbox_id == before.inbox_id
    assert (place.creates, place.deletes) == (1, 0)
    place.secret("login", password=place.password)
    place.ready()


def a_change_of_spec_is_told_and_nothing_is_called(place: Place) -> None:
    place.make()
    place.edit(displayName="Ann Renamed", dailyLimit=20)
    place.shows(Ready="True Active", Synced="False UpdateNotSupported")
    assert {each["method"] for each in place.asked()} == {"GET", "POST"}
    assert (place.creates, place.deletes) == (1, 0)


def a_person_pauses_and_nobody_fights_it(place: Place) -> None:
    place.apply()
    place.known()
    place.emulator.change(place.address(), overall_status="PAUSED")
    assert place.shows(Ready="False Paused", Synced="True InSync").status["overallStatus"] == "PAUSED"
    place.after_sweeps()
    assert (place.creates, place.deletes, place.inbox()["overall_status"]) == (1, 0, "PAUSED")
    place.emulator.change(place.address(), overall_status="ACTIVE")
    place.ready()


def a_disabled_one_is_told_and_not_made_again(place: Place) -> None:
    place.apply(updatePolicy="Recreate")
    place.known()
    place.emulator.change(place.address(), overall_status="DISABLED", status_reason="login refused")
    assert "credentials" in place.shows(Ready="False Disabled").message("Ready")
    place.after_sweeps()
    assert place.happened() == ["created"]


def _are_the_ones(place: Place, names: tuple[str, ...]) -> None:
    ready = place.all_ready(names)
    addresses = {name: place.address(name) for name in sorted(names)}
    inboxes = place.emulator.inboxes(workspace=place.workspace)
    assert sorted(
        (each["email_address"], each["inbox_id"]) for each in inboxes if each["email_address"] in addresses.values()
    ) == [(address, ready[name].inbox_id) for name, address in addresses.items()]
    assert {shown.status["origin"] for shown in ready.values()} == {"Created"}
    assert place.histories(names) == {("created",)}
