"""Compares the audit log with the requests at ColdSend line by line, over kills."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.support.tenant import Tenant

Line = dict[str, Any]

CREATES = {"createSmtpAccount", "bulkCreateSmtpAccounts", "createNativeInbox", "bulkCreateNativeInboxes"}
DELETES = {"deleteSenderAccount", "bulkDeleteSenderAccounts"}
ANSWERS = {"accepted", "created", "sent", "refused", "unknown", "not-sent"}
OUR_END = "the process ended"


@dataclass(frozen=True)
class AuditFile:
    """The file that all operators of a round append to, one after the other."""

    path: Path

    def ended(self) -> None:
        """A process has been killed: what it has not told it never will."""
        with self.path.open("a") as file:
            file.write(json.dumps({"event": OUR_END}) + "\n")

    def lines(self) -> list[Line]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@dataclass
class Told:
    """What the log says of the calls for one inbox: those that left, the codes of their answers, and what is open."""

    intents: int = 0
    open: bool = False
    unheard: int = 0  # intents without an answer, because the process was killed or the call was not sent
    codes: tuple[int | None, ...] = ()


def disagreements(lines: list[Line], tenant: Tenant) -> list[str]:
    """Sentences about what only one of the two sides says."""
    requests = [each for each in tenant.emulator.requests() if each["workspace"] == tenant.workspace]
    found = _calls(lines, requests)
    history = [each for each in tenant.emulator.history() if each["workspace"] == tenant.workspace]
    for event, outcomes in (("created", {"created"}), ("deleted", {"deleted", "gone"})):
        seen = {each["inbox_id"] for each in history if each["event"] == event}
        told = {line["inbox_id"] for line in lines if line.get("outcome") in outcomes}
        excused = _forgotten_deletes(lines) if event == "deleted" else set()
        found += [f"{event} in ColdSend, and the log does not say so: {inbox_id}" for inbox_id in seen - told - excused]
        found += [f"{event} says the log, and ColdSend does not: {inbox_id}" for inbox_id in told - seen]
    found += [f"an address in the log: {line}" for line in lines if "@" in json.dumps(line)]
    return found


def _forgotten_deletes(lines: list[Line]) -> set[str]:
    """Inboxes whose delete left before a kill, of which the next process does not know.

    Either the id went to another object, which finds the inbox missing: the log tells of the delete, the hand-over, and
    a create whose cause is `vanished`. Or status did not hold the id yet: the log tells that the create left nothing.
    """
    deletes: dict[str, str] = {}  # UIDs of the objects, by id of the inbox
    excused = set()
    for line in lines:
        if line.get("operation", "").startswith("delete"):
            deletes[line["inbox_id"]] = line["uid"]
        elif line.get("outcome") == "handed-over":
            excused.add(line["inbox_id"])
        elif line.get("outcome") == "nothing":
            excused |= {inbox_id for inbox_id, uid in deletes.items() if uid == line["uid"]}
    return excused & deletes.keys()


def _calls(lines: list[Line], requests: list[dict[str, Any]]) -> list[str]:
    seen: dict[str, list[int | None]] = defaultdict(list)
    for request in requests:
        if request["operation"] in CREATES | DELETES:
            for item in request["items"]:
                seen[item.partition("@")[0]].append(request["status"])
    told = _told(lines)
    found = []
    for item in seen.keys() | told.keys():
        asked, said = seen[item], told[item]
        missing = len(asked) - len(said.codes)
        if said.intents < len(asked):
            found.append(f"{item}: ColdSend was asked {len(asked)} times, the log tells of {said.intents}")
        if Counter(said.codes) - Counter(asked):
            found.append(f"{item}: the log heard {said.codes}, ColdSend said {asked}")
        if missing > said.unheard or said.intents - len(asked) > said.unheard:
            found.append(f"{item}: {len(asked)} calls, {said}")
    return found


def _told(lines: list[Line]) -> dict[str, Told]:
    """By the local part of the address for creates, by the id of the inbox for deletes."""
    told: dict[str, Told] = defaultdict(Told)
    for line in lines:
        if line["event"] == OUR_END:
            for each in told.values():
                each.unheard, each.open = each.unheard + each.open, False
        elif line["operation"] != "hand_over":
            deletes = line["operation"].startswith("delete")
            said = told[line["inbox_id"] if deletes else _local_part(line["name"])]
            if line["outcome"] == "intent":
                said.intents, said.open = said.intents + 1, True
            elif line["outcome"] in ANSWERS and said.open:
                said.open = False
                said.unheard += line["code"] is None
                said.codes += (line["code"],) if line["code"] is not None else ()
    return told


def _local_part(name: str) -> str:
    """Of the address of an object of this name: those of children begin with their batch and end in a digest."""
    return name.removeprefix("pool-").partition("-")[0]
