"""What ColdSend refuses: one bad item costs one item, and the reason reaches the object it belongs to."""

from typing import Any

from tests.e2e.support.tenant import CUSTOM
from tests.open_points.place import NAMES, Place

BAD, GOOD = NAMES[2], (*NAMES[:2], *NAMES[3:])
SHORT = "hush7"  # shorter than ColdSend wants it, where secret_minimum is 8


def one_bad_item_costs_itself_alone(place: Place) -> None:
    place.switch(secret_minimum=8)
    place.secret("short", password=SHORT)
    place.server.apply(*(place.manifest(name, **_login(name)) for name in NAMES))
    place.all_ready(GOOD)
    shown = place.shows(BAD, Ready="False Rejected")
    assert SHORT not in str(shown.raw)
    assert place.happened(BAD) == []
    assert place.histories(GOOD) == {("created",)}
    assert place.creates <= 3 * len(NAMES)
    place.secret("short", password="hush, long enough")
    place.ready(BAD)
    assert place.histories() == {("created",)}


def _login(name: str) -> dict[str, Any]:
    return {"smtp": {"passwordSecretRef": {"name": "short"}}} if name == BAD else {}


def a_bad_single_is_told_and_mended(place: Place) -> None:
    place.switch(secret_minimum=8)
    place.secret("login", password=SHORT)
    place.apply()
    shown = place.shows(Ready="False Rejected")
    assert SHORT not in str(shown.raw)
    assert place.creates == 1
    place.secret("login", password="hush, long enough")
    place.ready()
    assert place.creates == 2


def a_short_password_is_the_business_of_coldsend(place: Place) -> None:
    place.secret("login", password="hush")
    place.make()


def a_long_password_is_the_business_of_coldsend(place: Place) -> None:
    place.secret("login", password="hush" * 65)
    place.make()
    assert place.emulator.has_passwords(place.address(), "hush" * 65)


def a_password_that_is_too_long_is_told(place: Place) -> None:
    place.secret("login", password="hush" * 65)
    place.apply()
    place.shows(Ready="False Rejected")
    assert place.creates == 1


def a_connection_that_fails_is_told_and_tried_again_when_mended(place: Place) -> None:
    host = f"smtp.{place.domain}"
    place.emulator.break_connections(hosts=[host])
    place.apply(inbox_type=CUSTOM, smtp={"host": host})
    place.shows(Ready="False ConnectionFailed")
    assert place.no_inbox()
    tries = place.creates
    assert tries <= 2
    place.edit(smtp={"host": "smtp.example.com"})
    place.ready()
    assert place.happened() == ["created"]
    assert place.creates == tries + 1


def a_connection_that_fails_at_the_gateway_is_no_verdict(place: Place) -> None:
    """The code is one of a gateway that has lost the answer, so the address is watched before it is sent again."""
    host = f"smtp.{place.domain}"
    place.emulator.break_connections(hosts=[host])
    place.apply(inbox_type=CUSTOM, smtp={"host": host})
    place.shows(Ready="False Provisioning")
    place.eventually(lambda: place.creates >= 2, "another try")
    place.edit(smtp={"host": "smtp.example.com"})
    place.ready()
    assert place.happened() == ["created"]


def a_connection_that_fails_leaves_a_disabled_inbox(place: Place) -> None:
    host = f"smtp.{place.domain}"
    place.emulator.break_connections(hosts=[host])
    place.apply(inbox_type=CUSTOM, smtp={"host": host})
    shown = place.shows(Ready="False Disabled")
    assert shown.inbox_id == place.inbox()["inbox_id"]
    place.after_sweeps()
    assert place.creates == 1
    place.remove()
    assert place.no_inbox()


def several_with_one_bad_connection(place: Place) -> None:
    place.emulator.break_connections(addresses=[place.address(BAD)])
    place.apply_all()
    place.all_ready(GOOD)
    place.until(BAD, lambda shown: shown.condition("Ready").startswith("False"), "that it is not Ready")
    place.emulator.mend_connections(place.address(BAD))
    place.annotate(BAD, reconcile="mended")
    place.ready(BAD)
    assert place.histories() == {("created",)}
    assert place.creates <= 3 * len(NAMES)


def a_plan_that_is_full_is_told_and_gone_on_with_when_there_is_room(place: Place) -> None:
    place.switch(plan_limit=2)
    for name in NAMES[:2]:
        place.make(name)
    place.apply("cat")
    shown = place.until("cat", lambda shown: _is_refused(shown.condition("Ready")), "a refusal")
    assert "plan" in shown.message("Ready").lower() or shown.condition("Ready") == "False AlreadyExists"
    tries = place.creates
    place.after_sweeps()
    assert place.creates <= tries + 1
    place.all_ready(NAMES[:2])
    place.switch(plan_limit=None)
    place.annotate("cat", reconcile="there is room")
    place.ready("cat")
    assert place.histories(NAMES[:3]) == {("created",)}


def _is_refused(condition: str) -> bool:
    return condition in {"False PlanLimit", "False Rejected", "False AlreadyExists"}


def a_bulk_beyond_the_plan_makes_what_there_is_room_for(place: Place) -> None:
    place.switch(plan_limit=4)
    place.apply_all()
    place.eventually(lambda: len(place.all_ours()) == 4, "four inboxes")
    place.after_sweeps()
    place.switch(plan_limit=None)
    for name in NAMES:
        place.annotate(name, reconcile="there is room")
    place.all_ready()
    assert place.histories() == {("created",)}


def a_long_body_is_halved(place: Place) -> None:
    place.make_all()
    assert place.histories() == {("created",)}
    place.remove_all()
    assert place.creates <= 12


def a_limit_below_what_coldsend_allows(place: Place) -> None:
    place.make(dailyLimit=5)
    assert place.inbox()["daily_limit"] == 5


def a_limit_that_is_refused_is_told(place: Place) -> None:
    place.apply(dailyLimit=5)
    place.shows(Ready="False Rejected")
    assert place.creates == 1
    place.edit(dailyLimit=20)
    place.ready()


def a_limit_that_is_clamped_is_drift_and_never_a_call(place: Place) -> None:
    place.apply(dailyLimit=5, updatePolicy="Recreate")
    shown = place.shows(Ready="True Active", Synced="False Drifted")
    assert shown.status["dailyLimit"] == 10
    place.after_sweeps()
    assert place.happened() == ["created"]


def a_name_that_is_kept_otherwise_is_drift_and_never_a_call(place: Place) -> None:
    place.apply("ann", "COLDSEND", displayName="Ann  " + "x" * 80, updatePolicy="Recreate")
    place.shows(Ready="True Active", Synced="False Drifted")
    place.apply("ben", displayName="Ben  " + "x" * 80, updatePolicy="Recreate")
    place.shows("ben", Ready="True Active", Synced="False Drifted")
    place.after_sweeps()
    assert place.histories(("ann", "ben")) == {("created",)}
    place.remove_all(("ann", "ben"))


def a_name_is_kept_as_it_was_sent(place: Place) -> None:
    place.apply("ann", "COLDSEND", displayName="Ann  " + "x" * 80)
    place.ready()


def a_name_that_is_too_long_for_a_native_one_is_told(place: Place) -> None:
    place.apply("ann", "COLDSEND")
    place.shows(Ready="False Rejected")
    assert place.creates == 1


def a_prefix_with_punctuation(place: Place) -> None:
    place.apply("ann", "COLDSEND", native={"emailPrefix": "j.o-h_n"})
    place.ready()


def a_prefix_that_is_refused_costs_itself_alone(place: Place) -> None:
    place.server.apply(
        place.manifest(BAD, "COLDSEND", native={"emailPrefix": "j.o-h_n"}),
        *(place.manifest(name, "COLDSEND") for name in GOOD),
    )
    place.shows(BAD, Ready="False Rejected")
    place.all_ready(GOOD)
    assert place.histories(GOOD) == {("created",)}
