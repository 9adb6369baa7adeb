"""The required final state: one inbox and one holder for each requested address, and nothing else."""

from coldsend_operator.core.model.answers import address_key
from coldsend_operator.core.model.stored import HELD_ORIGINS
from coldsend_operator.resources.children import child_name
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from tests.support.cluster import Raw
from tests.support.stories import Stories, condition_of, ready_of


def wrong(stories: Stories) -> list[str]:
    """The differences from what the objects ask for."""
    objects = stories.cluster.objects.values()
    found = [f"{raw['metadata']['name']} is still there" for raw in objects if "deletionTimestamp" in raw["metadata"]]
    groups: dict[str, list[Raw]] = {}
    for raw in stories.cluster.of_kind(ACCOUNT_KIND):
        if "deletionTimestamp" not in raw["metadata"] and raw["spec"].get("managementPolicy") != "Observe":
            groups.setdefault(stories.by_uid[raw["metadata"]["uid"]].address, []).append(raw)
    for address, members in groups.items():
        found += _wrong_at(stories, address, members)
    for inbox in stories.remote.live():
        address = address_key(inbox.address)
        if not inbox.by_hand and address not in stories.loose and address not in groups:
            found.append(f"{inbox.inbox_id} of {address} has no object")
    for batch in stories.cluster.of_kind(BATCH_KIND):
        found += _wrong_in(stories, batch)
    return found


def _wrong_at(stories: Stories, address: str, members: list[Raw]) -> list[str]:
    live = stories.remote.at(address)
    if len(live) != 1:
        return [f"{address} has {len(live)} inboxes; {[ready_of(raw) for raw in members]}"]
    inbox = live[0]
    holders = [raw for raw in members if holds(raw, inbox.inbox_id)]
    adopters = [raw for raw in members if raw["spec"].get("adoptionPolicy") == "Adopt"]
    if not holders and (inbox.by_hand or address in stories.loose) and len(adopters) < len(members):
        at_work = any(condition_of(raw, "Reconciling")[0] == "True" for raw in members)
        return [f"{address} is being worked on"] if at_work else []
    if len(holders) != 1:
        return [f"{inbox.inbox_id} of {address} has {len(holders)} holders; {[ready_of(raw) for raw in members]}"]
    ready = ready_of(holders[0])
    return [] if ready[0] == "True" else [f"{address} is not Ready: {ready}"]


def _wrong_in(stories: Stories, batch: Raw) -> list[str]:
    """Whether each inbox of the list has its child, as the batch asks, and no other account is a child."""
    metadata, listing = batch["metadata"], stories.batches[batch["metadata"]["uid"]]
    wanted = {child_name(metadata["name"], address): address for address in listing.addresses}
    children = {
        raw["metadata"]["name"]: raw
        for raw in stories.cluster.of_kind(ACCOUNT_KIND)
        if any(owner["uid"] == metadata["uid"] for owner in raw["metadata"].get("ownerReferences") or ())
    }
    found = [f"{name} is no longer listed" for name in children.keys() - wanted.keys()]
    found += [f"{wanted[name]} has no child" for name in wanted.keys() - children.keys()]
    template = batch["spec"]["template"]
    for name in wanted.keys() & children.keys():
        spec = children[name]["spec"]
        differing = [key for key in template if key != "deletionPolicy" and spec.get(key) != template[key]]
        found += [f"{name} is not as the template asks: {differing}"] if differing else []
    status = batch.get("status") or {}
    ready = sum(ready_of(raw)[0] == "True" for raw in children.values())
    if (status.get("total"), status.get("ready")) != (len(wanted), ready):
        found.append(f"{metadata['name']} reports {status}, {ready} of {len(wanted)} are Ready")
    return found


def holds(raw: Raw, inbox_id: str) -> bool:
    status = raw.get("status") or {}
    return status.get("inboxID") == inbox_id and status.get("origin") in HELD_ORIGINS
