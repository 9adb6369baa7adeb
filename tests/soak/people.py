"""Actions of people while the operator is killed and restarted, and the expected result."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from tests.e2e.batches.pool import Pool
from tests.e2e.support.api_server import Object
from tests.e2e.support.tenant import GOOGLE, Shown, Tenant

NATIVE = "COLDSEND"
LISTED = 60  # inboxes that the batch may list
LISTINGS = 12


@dataclass(frozen=True)
class Task:
    """Something that a person does. `names` are local parts of addresses."""

    kind: str  # make, again, move, delete or list
    names: tuple[str, ...]


@dataclass
class People:
    """They make `lone` objects, delete or rename many of them, and change the list of one batch.

    They renew no API key: a deletion that meets a kill and a new key may have to wait for a person (rule 15: only the
    object's own inbox proves that the new key leads to its workspace).
    """

    pool: Pool
    random: Random
    lone: int = 140
    wanted: dict[str, str] = field(default_factory=dict)  # names of objects by address
    asked: Counter[str] = field(default_factory=Counter)  # how often an inbox of the address was asked for
    deleted: int = 0

    @property
    def tenant(self) -> Tenant:
        return self.pool.tenant

    def plan(self) -> list[Task]:
        """All that they do, in order: each object is deleted after it was made, whenever that is."""
        places: list[tuple[float, Task]] = []
        for number in range(self.lone):
            name = f"{'n' if number % 4 == 0 else 's'}{number:03}"
            made = self.random.random() * 0.8
            places.append((made, Task("make", (name,))))
            if self.random.random() < 0.6:
                deleted = self.random.uniform(made, 1.0)
                places.append((deleted, Task("delete", (name,))))
                if self.random.random() < 0.4:
                    places.append((self.random.uniform(deleted, 1.0), Task("again", (name,))))
            elif self.random.random() < 0.5:
                places.append((self.random.uniform(made, 1.0), Task("move", (name,))))
        listed = [f"b{number:03}" for number in range(LISTED)]
        for turn in range(LISTINGS):
            names = self.random.sample(listed, self.random.randint(LISTED // 3, LISTED))
            places.append((turn / LISTINGS, Task("list", tuple(sorted(names)))))
        return [task for _, task in sorted(places, key=lambda place: place[0])]

    def bursts(self, tasks: list[Task], count: int) -> Iterator[list[Task]]:
        """The actions in so many bursts of random sizes."""
        cuts = sorted(self.random.randint(0, len(tasks)) for _ in range(count - 1))
        for begin, end in zip([0, *cuts], [*cuts, len(tasks)], strict=True):
            yield tasks[begin:end]

    def do(self, task: Task) -> None:
        match task.kind:
            case "make":
                self._make(task.names[0], task.names[0])
            case "again":
                self._make(task.names[0], f"{task.names[0]}-again")
            case "move":
                self._move(task.names[0], f"{task.names[0]}-moved")
            case "delete":
                self.tenant.delete(task.names[0])
                del self.wanted[self.tenant.address(task.names[0])]
                self.deleted += 1
            case _:
                self._list(task.names)

    def _make(self, name: str, called: str) -> None:
        manifest = self.tenant.manifest(name, NATIVE if name.startswith("n") else GOOGLE)
        manifest["metadata"]["name"] = called
        self.tenant.server.apply(manifest)
        self._want(self.tenant.address(name), called)

    def _move(self, name: str, called: str) -> None:
        """Rename the object of an address, as in Git: with luck the inbox goes on, else it is made once more."""
        steps = [partial(self._make, name, called), partial(self.tenant.delete, name)]
        self.random.shuffle(steps)
        for step in steps:
            step()

    def _list(self, names: tuple[str, ...]) -> None:
        before = {each["emailAddress"] for each in self.pool.inboxes}
        self.pool.apply(*names)
        after = {self.tenant.address(name): self.pool.child(name) for name in names}
        for address in before - after.keys():
            del self.wanted[address]
            self.deleted += 1
        for address in after.keys() - before:
            self._want(address, after[address])

    def _want(self, address: str, name: str) -> None:
        self.wanted[address] = name
        self.asked[address] += 1

    # What must be in the end

    def wrong(self) -> list[str]:
        """The differences from what the objects ask for."""
        objects = {
            each["metadata"]["name"]: each for each in self.tenant.server.items("SenderAccount", self._namespace)
        }
        inboxes: dict[str, list[str]] = {}
        for row in self.tenant.emulator.inboxes(workspace=self.tenant.workspace):
            inboxes.setdefault(row["email_address"], []).append(row["inbox_id"])
        wanted = set(self.wanted.values())
        found = [f"{name} is still there: {_ready(raw)}" for name, raw in objects.items() if name not in wanted]
        found += [f"{address} has an inbox and no object" for address in inboxes.keys() - self.wanted.keys()]
        for address, name in self.wanted.items():
            found += _wrong_at(address, objects.get(name), inboxes.get(address, []))
        return found

    def made_twice(self) -> list[str]:
        """Inboxes that were made though there was one, or more often than anybody asked."""
        history = self.tenant.emulator.history(event="created")
        made = Counter(each["email_address"] for each in history if each["email_address"] in self.asked)
        often = [f"{address} was made {made[address]} times" for address in made if made[address] > self.asked[address]]
        doubled = [f"{address} had two inboxes" for address in self.tenant.emulator.doubled() if address in self.asked]
        return doubled + often

    @property
    def _namespace(self) -> str:
        return self.tenant.namespace


def _wrong_at(address: str, raw: Object | None, inbox_ids: list[str]) -> list[str]:
    if raw is None:
        return [f"the object of {address} is not there"]
    if len(inbox_ids) != 1:
        return [f"{address} has {len(inbox_ids)} inboxes: {_ready(raw)}"]
    status: dict[str, Any] = raw.get("status", {})
    if status.get("inboxID") != inbox_ids[0]:
        return [f"{address} shows another inbox than it has: {status.get('inboxID')}, {inbox_ids[0]}"]
    ready = Shown(raw).condition("Ready")
    return [] if ready == "True Active" else [f"{address} is not Ready: {_ready(raw)}"]


def _ready(raw: Object) -> str:
    shown = Shown(raw)
    return f"{shown.condition('Ready')} ({shown.message('Ready')})"
