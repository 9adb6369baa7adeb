"""An address that exists: never made twice, never taken from whoever has it."""

from tests.open_points.place import NAMES, Place

LONG_AGO = 1_600_000_000.0
SINGLE, BULK = "createSmtpAccount", "bulkCreateSmtpAccounts"


def an_address_that_exists_is_refused_or_adopted(place: Place) -> None:
    inbox_id = place.seed(display_name="Ann Example", daily_limit=50, created_at=LONG_AGO)
    place.apply()
    shown = place.shows(Ready="False AlreadyExists", Synced="False AlreadyExists")
    assert "adoptionPolicy: Adopt" in shown.message("Ready")
    assert not {"inboxID", "overallStatus", "healthScore"} & set(shown.status)
    assert place.creates == 0
    place.edit(adoptionPolicy="Adopt")
    shown = place.ready(reason="Adopted")
    assert (shown.inbox_id, shown.status["origin"]) == (inbox_id, "Adopted")
    place.shows(CredentialsCurrent="Unknown CredentialsUnknown")
    assert place.happened() == ["created"]


def an_address_that_a_person_takes_first_is_theirs(place: Place) -> None:
    """Between our look and our create, and of another type than ours."""
    held = place.fault("pause", operation=SINGLE, count=1)
    place.apply()
    place.emulator.wait_for_fault(held)
    inbox_id = place.seed(inbox_type="OUTLOOK_365", created_at=LONG_AGO)
    place.emulator.release(held)
    place.shows(Ready="False AlreadyExists")
    place.after_sweeps()
    assert place.creates == 1
    assert place.inbox()["inbox_id"] == inbox_id
    place.remove()
    assert place.inbox()["inbox_id"] == inbox_id


def an_address_that_a_person_takes_first_is_adopted_where_that_is_wanted(place: Place) -> None:
    held = place.fault("pause", operation=SINGLE, count=1)
    place.apply(adoptionPolicy="Adopt")
    place.emulator.wait_for_fault(held)
    inbox_id = place.seed(display_name="Ann Example", daily_limit=50, created_at=LONG_AGO)
    place.emulator.release(held)
    assert place.ready(reason="Adopted").inbox_id == inbox_id
    assert place.happened() == ["created"]


def an_address_of_a_bulk_that_a_person_takes_first_is_theirs(place: Place) -> None:
    held = place.fault("pause", operation=BULK, count=1, body_contains=place.address("cat"))
    place.apply_all()
    place.emulator.wait_for_fault(held)
    inbox_id = place.seed("cat", inbox_type="OUTLOOK_365", created_at=LONG_AGO)
    place.emulator.release(held)
    place.shows("cat", Ready="False AlreadyExists")
    others = tuple(name for name in NAMES if name != "cat")
    place.all_ready(others)
    assert place.inbox("cat")["inbox_id"] == inbox_id
    assert place.histories() == {("created",)}
    assert place.creates <= 14
    place.remove_all()
    assert place.all_ours() == [place.address("cat")]


def one_address_in_two_objects_is_made_once(place: Place) -> None:
    address = place.address("same")
    place.server.apply(*(place.manifest(name, emailAddress=address) for name in NAMES))
    place.eventually(lambda: _ready_ones(place), "one that is Ready")
    (winner,) = _ready_ones(place)
    others = [name for name in NAMES if name != winner]
    for name in others:
        place.shows(name, Ready="False AddressConflict")
    assert place.happened("same") == ["created"]
    place.remove(winner)
    place.eventually(lambda: _ready_ones(place), "another that is Ready")
    assert place.happened("same") == ["created"]  # it was handed over


def _ready_ones(place: Place) -> list[str]:
    return [name for name in NAMES if (shown := place.look(name)) and shown.condition("Ready") == "True Active"]


def an_address_of_another_workspace_is_told_once(place: Place) -> None:
    other = f"{place.workspace}-other"
    place.emulator.seed({"email_address": place.address()}, workspace=other)
    place.apply()
    place.shows(Ready="False AlreadyExists")
    place.after_sweeps()
    assert place.creates <= 2
    place.remove()
    assert len(place.emulator.inboxes(workspace=other)) == 1


def an_address_of_another_workspace_is_free_here(place: Place) -> None:
    place.emulator.seed({"email_address": place.address()}, workspace=f"{place.workspace}-other")
    place.make()
    assert place.creates == 1


def a_create_whose_answer_is_lost_is_not_repeated(place: Place) -> None:
    place.fault("cut", when="after", operation=SINGLE, count=1)
    shown = place.make()
    assert place.inbox()["inbox_id"] == shown.inbox_id
    assert (place.happened(), place.creates) == (["created"], 1)
    place.remove()
    assert place.all_ours() == []


def a_create_that_never_arrived_is_repeated_once(place: Place) -> None:
    place.fault("cut", when="before", operation=SINGLE, count=1)
    place.make()
    assert (place.happened(), place.creates) == (["created"], 2)


def a_bulk_whose_answer_is_lost_is_not_repeated(place: Place) -> None:
    place.fault("cut", when="after", operation=BULK)
    place.make_all()
    assert place.histories() == {("created",)}
    assert place.creates <= len(NAMES)
    place.remove_all()
    assert place.all_ours() == []


def a_lost_create_of_an_odd_address_is_found_again(place: Place) -> None:
    """Among strangers that look alike, by whatever search there is."""
    odd = {"ann": f"ann+x@{place.domain}", "ben": f"b_n%41@{place.domain}", "cat": f"Cat@{place.domain}"}
    for stranger in ("xann+x", "ann x", "annix", "ann", "b_n", "bxn%41", "xcat", "cat2"):
        place.emulator.seed({"email_address": f"{stranger}@{place.domain}"}, workspace=place.workspace)
    place.fault("cut", when="after", operation=SINGLE)
    place.fault("cut", when="after", operation=BULK)
    place.server.apply(*(place.manifest(name, emailAddress=address) for name, address in odd.items()))
    place.all_ready(("ann", "ben", "cat"))
    for address in odd.values():
        assert len(place.emulator.inboxes(workspace=place.workspace, address=address)) == 1
    assert place.creates <= 4
    place.remove_all(("ann", "ben", "cat"))
    assert len(place.all_ours()) == 8


def a_lone_one_among_many_is_looked_up_by_search(place: Place) -> None:
    place.emulator.seed_many(250, f"u{{n}}@{place.domain}", workspace=place.workspace)
    place.seed("taken", created_at=LONG_AGO)
    place.apply("taken")
    place.shows("taken", Ready="False AlreadyExists")
    place.make()
    assert (place.happened(), place.creates) == (["created"], 1)


def a_slow_check_ends_in_one_inbox(place: Place) -> None:
    """The server gives up before the check ends, and the inbox appears later."""
    place.make()
    assert (place.happened(), place.creates) == (["created"], 1)


def a_check_that_is_always_too_slow_is_told(place: Place) -> None:
    """Nobody can say whether such a create was done: it is watched, and repeated ever more rarely."""
    place.apply()
    place.shows(Ready="False Provisioning")
    place.let_pass(3600)
    assert place.all_ours() == []
    assert 2 <= place.creates <= 30
    place.switch(connection_check_seconds=1)
    place.ready()
    assert place.happened() == ["created"]
