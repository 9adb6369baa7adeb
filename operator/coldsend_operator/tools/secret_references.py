"""The keys of Secrets that objects name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from coldsend_operator.accounts.effective import api_key, api_key_default, effective_servers
from coldsend_operator.core.model.desired import SecretRef
from coldsend_operator.resources.children import child_spec
from coldsend_operator.resources.common import InboxType
from coldsend_operator.resources.names import API_KEY_SECRET_ANNOTATION
from coldsend_operator.resources.reading import read_account, read_batch

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reference:
    """A key of a Secret that an object names. `google`: the password is one that Google shows with spaces."""

    namespace: str
    name: str
    key: str
    is_api_key: bool = False
    google: bool = False


def references(accounts: Iterable[Raw], batches: Iterable[Raw], namespaces: Iterable[Raw]) -> set[Reference]:
    """All references; an unreadable object has none."""
    found: set[Reference] = set()
    for raw in accounts:
        found.update(_of_spec(raw["metadata"]["namespace"], raw.get("spec")))
    for raw in batches:
        reading = read_batch(raw.get("spec"))
        for each in reading.inboxes if reading.spec is not None else ():
            if each.inbox is not None and reading.spec is not None:
                found.update(_of_spec(raw["metadata"]["namespace"], child_spec(reading.spec, each.inbox)))
    for raw in namespaces:
        said = (raw["metadata"].get("annotations") or {}).get(API_KEY_SECRET_ANNOTATION)
        if said:
            found.add(_of_key(raw["metadata"]["name"], api_key_default(str(said))))
    return found


def _of_spec(namespace: str, raw: Any) -> Iterator[Reference]:
    spec = read_account(raw).spec
    if spec is None:
        return
    google = spec.inbox_type is InboxType.GOOGLE_WORKSPACE
    for server in effective_servers(spec):
        if server is not None:
            yield Reference(namespace, server.password.name, server.password.key, google=google)
    key = api_key(spec.api_key_secret_ref)
    if key is not None:
        yield _of_key(namespace, key)


def _of_key(namespace: str, reference: SecretRef) -> Reference:
    return Reference(namespace, reference.name, reference.key, is_api_key=True)
