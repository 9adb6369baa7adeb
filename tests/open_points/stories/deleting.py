"""Deletions: each ends when the inbox is gone for certain, and waits while a campaign uses it."""

from tests.open_points.place import NAMES, Place

STATES = ("DRAFT", "ACTIVE", "PAUSED", "COMPLETED", "FAILED")


def an_inbox_in_use_is_kept_until_it_is_free(place: Place) -> None:
    shown = place.make()
    campaign = place.emulator.hold(shown.inbox_id, workspace=place.workspace)
    place.delete()
    told = place.until("ann", lambda shown: shown.condition("Ready") == "False InUseByCampaign", "InUseByCampaign")
    assert told.condition("Synced") == "False InUseByCampaign"
    assert "campaigns" in told.message("Ready")
    assert place.inbox()["inbox_id"] == shown.inbox_id
    place.emulator.free(campaign)
    place.gone()
    assert place.happened() == ["created", "deleted"]
    assert place.deletes <= 6


def only_the_one_in_use_is_kept(place: Place) -> None:
    place.make_all()
    campaign = place.emulator.hold(place.address("cat"), workspace=place.workspace)
    place.delete_each()
    place.all_gone(tuple(name for name in NAMES if name != "cat"))
    place.until("cat", lambda shown: shown.condition("Ready") == "False InUseByCampaign", "InUseByCampaign")
    assert place.all_ours() == [place.address("cat")]
    place.emulator.free(campaign)
    place.gone("cat")
    assert place.histories() == {("created", "deleted")}
    assert place.deletes <= 10


def whatever_a_campaign_does_its_inboxes_stay_as_long_as_coldsend_says(place: Place) -> None:
    names = dict(zip(NAMES, STATES, strict=False))
    place.apply_all(names=tuple(names))
    place.all_ready(tuple(names))
    campaigns = {
        name: place.emulator.hold(place.address(name), state=state, workspace=place.workspace)
        for name, state in names.items()
    }
    place.delete_each(tuple(names))
    place.eventually(lambda: all(_is_decided(place, name) for name in names), "a verdict on each")
    kept = {name for name in names if place.look(name)}
    assert place.all_ours() == sorted(place.address(name) for name in kept)
    for name in kept:
        place.emulator.free(campaigns[name])
    place.all_gone(tuple(names))
    assert place.histories(tuple(names)) == {("created", "deleted")}


def _is_decided(place: Place, name: str) -> bool:
    shown = place.look(name)
    return shown is None or shown.condition("Ready") == "False InUseByCampaign"


def one_that_vanished_before_the_delete_is_let_go(place: Place) -> None:
    """The id is unknown to ColdSend by then."""
    place.make_all()
    held = place.fault("pause", operation="bulkDeleteSenderAccounts", count=1)
    place.delete_each()
    place.emulator.wait_for_fault(held)
    place.emulator.delete(place.address("fay"))
    place.emulator.release(held)
    place.all_gone()
    assert place.histories() == {("created", "deleted")}


def an_inbox_that_a_person_removed_is_made_again(place: Place) -> None:
    place.apply()
    before = place.known().inbox_id
    place.emulator.delete(before)
    place.another_inbox(before)
    place.ready()
    assert place.happened() == ["created", "deleted", "created"]
    assert place.creates == 2


def a_few_among_many_keep_theirs_whatever_the_pages_show(place: Place) -> None:
    place.emulator.seed_many(250, f"u{{n}}@{place.domain}", workspace=place.workspace)
    place.apply_all()
    before = {name: shown.inbox_id for name, shown in place.all_ready().items()}
    place.after_sweeps(6)
    assert {name: place.look_at(name).inbox_id for name in NAMES} == before
    assert {place.look_at(name).condition("Ready") for name in NAMES} == {"True Active"}
    place.emulator.delete(place.address("cat"))
    place.another_inbox(before["cat"], "cat")
    place.ready("cat")
    place.remove_all()
    assert place.histories(("ann", "ben")) == {("created", "deleted")}
    assert place.happened("cat") == ["created", "deleted", "created", "deleted"]
    assert len(place.all_ours()) == 250


def a_domain_that_somebody_deletes_is_none_of_ours(place: Place) -> None:
    """A person deletes the domain; this program never does."""
    place.make_all("COLDSEND", NAMES[:2])
    with place.as_client() as http:
        http.delete(f"/domains/{place.domain_id}")
    place.after_sweeps(4)
    left = len(place.all_ours())
    for name in NAMES[:2]:
        place.shows(name, Ready="True Active" if left else "False DomainNotFound")
    assert place.count("deleteDomain") == 1
    place.remove_all(NAMES[:2])
    assert place.all_ours() == []
