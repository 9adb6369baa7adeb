"""Deletes inboxes, unless a campaign uses them."""

from functools import partial

from coldsend_emulator.inboxes import Inbox
from coldsend_emulator.switches import Switches
from coldsend_emulator.workspaces import CAMPAIGN_STATES, Campaign
from coldsend_emulator.world import World

_HOLDING_STATES = {
    "all": CAMPAIGN_STATES,
    "active_or_paused": ("ACTIVE", "PAUSED"),
    "active": ("ACTIVE",),
}


def holder(world: World, inbox: Inbox) -> Campaign | None:
    """The campaign that prevents the deletion of an inbox."""
    return world.workspace(inbox.workspace).holding(inbox.inbox_id, _holding_states(world.switches_of(inbox.workspace)))


def begin(world: World, inbox: Inbox, by: str, moment: float) -> None:
    """Accept the deletion; the inbox is removed at once or later (row 23: when a delete takes effect)."""
    if inbox.leaving:
        return
    delay = world.switches_of(inbox.workspace).amount("delete_seconds")
    if not delay:
        world.remove(inbox, by, moment)
        return
    inbox.leaving = True
    world.schedule.at(moment + delay, partial(world.remove, inbox, by))


def _holding_states(switches: Switches) -> tuple[str, ...]:
    return _HOLDING_STATES[switches.choice("in_use_states")]
