"""Native inboxes: their domain, their bulk, and answers that say little."""

from tests.open_points.place import NAMES, Place

NATIVE = "COLDSEND"
BAD, GOOD = NAMES[2], (*NAMES[:2], *NAMES[3:])


def a_native_bulk_with_one_taken_address(place: Place) -> None:
    """A person takes one of the addresses after our look."""
    held = place.fault("pause", operation="bulkCreateNativeInboxes", count=1, body_contains=BAD)
    place.apply_all(NATIVE)
    place.emulator.wait_for_fault(held)
    inbox_id = place.seed(BAD, NATIVE, display_name="Somebody Else", domain_id=place.domain_id)
    place.emulator.release(held)
    place.all_ready(GOOD)
    place.shows(BAD, Ready="False AlreadyExists")
    assert place.inbox(BAD)["inbox_id"] == inbox_id
    assert place.histories() == {("created",)}
    assert place.creates <= 14


def a_native_bulk_whose_answer_is_lost_is_not_repeated(place: Place) -> None:
    place.fault("cut", when="after", operation="bulkCreateNativeInboxes")
    place.make_all(NATIVE)
    assert place.histories() == {("created",)}
    assert place.creates <= len(NAMES)


def a_native_one_by_the_id_of_its_domain(place: Place) -> None:
    place.apply("ann", NATIVE, native={"domainName": None, "domainID": place.domain_id})
    assert place.ready().status["emailAddress"] == place.address()
    place.remove()
    assert place.happened() == ["created", "deleted"]


def a_domain_that_is_closed_behind_our_back(place: Place) -> None:
    """Our knowledge of the domain is older than what happened to it; ColdSend refuses, and later does not."""
    held = place.fault("pause", operation="createNativeInbox", count=1)
    place.apply("ann", NATIVE)
    place.emulator.wait_for_fault(held)
    place.emulator.change_domain(place.domain, status="DNS_PENDING")
    place.emulator.release(held)
    place.shows(Ready="False DomainNotActive")
    tries = place.creates
    place.after_sweeps()
    assert place.creates == tries
    place.emulator.change_domain(place.domain, status="ACTIVE")
    place.annotate("ann", reconcile="it is active")
    place.ready()
    assert (place.happened(), place.creates) == (["created"], 2)


def a_domain_that_is_not_active_may_take_inboxes_all_the_same(place: Place) -> None:
    """We wait for it: that it would have gone is known to nobody."""
    place.emulator.change_domain(place.domain, status="PENDING")
    place.apply("ann", NATIVE)
    assert "PENDING" in place.shows(Ready="False DomainNotActive").message("Ready")
    assert place.creates == 0
    place.emulator.change_domain(place.domain, status="ACTIVE")
    place.annotate("ann", reconcile="it is active")
    place.ready()


def a_domain_that_fills_up_behind_our_back(place: Place) -> None:
    held = place.fault("pause", operation="createNativeInbox", count=1)
    place.apply("ann", NATIVE)
    place.emulator.wait_for_fault(held)
    place.emulator.change_domain(place.domain, max_inboxes=0)
    place.emulator.release(held)
    place.shows(Ready="False DomainFull")
    tries = place.creates
    place.after_sweeps()
    assert place.creates == tries
    place.emulator.change_domain(place.domain, max_inboxes=5)
    place.annotate("ann", reconcile="there is room")
    place.ready()
    assert (place.happened(), place.creates) == (["created"], 2)


def a_domain_with_room_for_some(place: Place) -> None:
    place.emulator.change_domain(place.domain, max_inboxes=4)
    place.apply_all(NATIVE)
    place.eventually(lambda: len(place.all_ours()) == 4, "four inboxes")
    place.eventually(lambda: _count(place, "False DomainFull") == 2, "two that find no room")
    place.eventually(lambda: _count(place, "True Active") == 4, "four that are Ready")
    place.emulator.change_domain(place.domain, max_inboxes=6)
    for name in NAMES:
        place.annotate(name, reconcile="there is room")
    place.all_ready()
    assert place.histories() == {("created",)}


def _count(place: Place, condition: str) -> int:
    return sum(place.look_at(name).condition("Ready") == condition for name in NAMES)


def a_domain_is_waited_for_while_it_is_set_up(place: Place) -> None:
    with place.as_client() as http:
        domain_id = http.post("/domains", json={"domain": f"new.{place.domain}"}).json()["domain_id"]
        place.apply("ann", NATIVE, native={"domainName": f"new.{place.domain}"})
        place.shows(Ready="False DomainNotActive")
        http.post(f"/domains/{domain_id}/activate")
    place.ready()
    assert (place.happened_at(f"ann@new.{place.domain}"), place.creates) == (["created"], 1)
