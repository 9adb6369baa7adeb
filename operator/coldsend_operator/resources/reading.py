"""From the JSON of an object to its spec, or to sentences why it cannot be used; never raises.

The CRD refuses nearly all of this at `kubectl apply`. What is found here was accepted by an older CRD, or belongs to
one inbox of a batch that the API server could not check.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from coldsend_operator.resources.account import SenderAccountSpec
from coldsend_operator.resources.batch import BatchInbox, SenderAccountBatchSpec
from coldsend_operator.resources.batch_rules import MAX_INBOXES, NO_KEY_FOR_NATIVE, TEMPLATE_RULES
from coldsend_operator.resources.children import child_spec
from coldsend_operator.resources.common import APIKeyReference, DeletionPolicy, InboxType, ManagementPolicy, Rule


@dataclass(frozen=True, slots=True)
class AccountReading:
    """A spec and its problems; spec is None if it does not have the right shape."""

    spec: SenderAccountSpec | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InboxReading:
    """One inbox of a batch and its problems; inbox is None if it does not have the right shape."""

    position: int
    inbox: BatchInbox | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchReading:
    """A batch, read inbox by inbox, so that a bad one affects no other.

    `spec.inboxes` holds the inboxes of the right shape; `inboxes` all of them in the order of the list, each with its
    own problems. `problems` are those of the whole batch; with any of them no inbox is processed.
    """

    spec: SenderAccountBatchSpec | None
    problems: tuple[str, ...] = ()
    inboxes: tuple[InboxReading, ...] = ()


@dataclass(frozen=True, slots=True)
class Policies:
    """What must be known to release an object, even if its spec cannot be used."""

    deletion: DeletionPolicy | None  # None: not set
    management: ManagementPolicy
    api_key_secret: APIKeyReference | None
    protected: bool


def read_account(raw: object) -> AccountReading:
    """Read the spec of a SenderAccount. Problems have the form `field: what is wrong; what to do`."""
    try:
        spec = SenderAccountSpec.model_validate(raw)
    except ValidationError as error:
        return AccountReading(None, _sentences(error, "spec"))
    found = [*broken(spec.rules, spec, "spec")]
    if spec.native is not None:
        found += broken(spec.native.rules, spec.native, "spec.native")
    return AccountReading(spec, tuple(found))


def read_batch(raw: object) -> BatchReading:
    """Read the spec of a SenderAccountBatch, its inboxes one by one."""
    rows = raw.get("inboxes") if isinstance(raw, Mapping) else None
    try:
        spec = SenderAccountBatchSpec.model_validate({**raw, "inboxes": []} if isinstance(raw, Mapping) else raw)
    except ValidationError as error:
        return BatchReading(None, _sentences(error, "spec"))
    if not isinstance(rows, list):
        return BatchReading(None, ("spec.inboxes: must be a list; give one, which may be empty",))
    problems = [*broken(TEMPLATE_RULES, spec.template, "spec.template")]
    if len(rows) > MAX_INBOXES:
        problems.append(f"spec.inboxes: must have at most {MAX_INBOXES:,} items; split it into several batches")
    inboxes = tuple(_read_inbox(spec, position, row) for position, row in enumerate(rows))
    good = [reading.inbox for reading in inboxes if reading.inbox is not None]
    return BatchReading(spec.model_copy(update={"inboxes": good}), tuple(problems), inboxes)


def _read_inbox(batch: SenderAccountBatchSpec, position: int, row: object) -> InboxReading:
    path = f"spec.inboxes[{position}]"
    try:
        inbox = BatchInbox.model_validate(row)
    except ValidationError as error:
        return InboxReading(position, None, _sentences(error, path))
    problems = [*broken(inbox.rules, inbox, path)]
    if inbox.password_key is not None and batch.template.inbox_type is InboxType.COLDSEND:
        problems.append(f"{path}.passwordKey: {NO_KEY_FOR_NATIVE}")
    if not problems:
        problems = [f"{path}: {problem}" for problem in read_account(child_spec(batch, inbox)).problems]
    return InboxReading(position, inbox, tuple(problems))


def policies(raw: object) -> Policies:
    """What a spec says about releasing the object, however broken the rest is.

    An unknown word means the value that touches ColdSend least; so does an unreadable key reference, because the
    operator's own key would lead to another workspace.
    """
    fields = raw if isinstance(raw, Mapping) else {}
    reference = fields.get("apiKeySecretRef")
    protected = fields.get("deletionProtection") not in (None, False)
    try:
        key = None if reference is None else APIKeyReference.model_validate(reference)
    except ValidationError:
        return Policies(DeletionPolicy.ORPHAN, ManagementPolicy.OBSERVE, None, protected)
    deletion = fields.get("deletionPolicy")
    if deletion is not None:
        deletion = DeletionPolicy.DELETE if deletion == DeletionPolicy.DELETE else DeletionPolicy.ORPHAN
    full = fields.get("managementPolicy") in (None, ManagementPolicy.FULL)
    return Policies(
        deletion,
        ManagementPolicy.FULL if full else ManagementPolicy.OBSERVE,
        key,
        protected,
    )


def broken(rules: tuple[Rule, ...], block: Any, path: str) -> Iterator[str]:
    """The problems of the block at this path by the rules that Python checks."""
    for rule in rules:
        if rule.holds is not None and not rule.holds(block):
            yield f"{path}.{rule.field}: {rule.message}" if rule.field else f"{path}: {rule.message}"


def _sentences(error: ValidationError, path: str) -> tuple[str, ...]:
    # Without the input and URLs: the content of a spec must not appear in a log.
    details = error.errors(include_url=False, include_input=False, include_context=True)
    return tuple(dict.fromkeys(f"{_path(detail, path)}: {_fault(detail)}" for detail in details))


def _path(detail: ErrorDetails, path: str) -> str:
    for part in detail["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in {"int", "str"}:  # the branches of a union are not fields
            path += f".{part}"
    return path


def _fault(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "is required; add it"
    if detail["type"] == "shape":
        return detail["msg"]
    if detail["type"] == "model_type":
        return "must be an object with fields; correct it"
    fault = detail["msg"].replace("Input", "it").replace("String", "it").replace("List", "it")
    return f"{fault}; correct it"
