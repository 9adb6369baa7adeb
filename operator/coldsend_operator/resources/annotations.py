"""The annotations under coldsend.pro/ that users set, and the notes about invalid ones."""

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coldsend_operator.resources.common import DeletionPolicy
from coldsend_operator.resources.names import (
    API_KEY_SECRET_ANNOTATION,
    APPROVE_DELETION_ANNOTATION,
    APPROVE_RECREATION_ANNOTATION,
    CREDENTIALS_CURRENT_ANNOTATION,
    DELETION_POLICY_ANNOTATION,
    FORCE_ORPHAN_ANNOTATION,
    GROUP,
    HAND_OVER_ANNOTATION,
    PAUSED_ANNOTATION,
    RECONCILE_ANNOTATION,
)
from coldsend_operator.resources.values import first_unseen
from coldsend_operator.spellings import one_line

LONGEST = 253  # maximum characters of a stored or repeated value (rule 43)
MAX_NOTES = 3
_SHOWN = 40
_NAMESPACE_AND_NAME = re.compile(r"[^/\s]+/[^/\s]+")

FLAGS = frozenset(
    {PAUSED_ANNOTATION, APPROVE_DELETION_ANNOTATION, APPROVE_RECREATION_ANNOTATION, FORCE_ORPHAN_ANNOTATION}
)
TEXTS = frozenset({RECONCILE_ANNOTATION, CREDENTIALS_CURRENT_ANNOTATION, HAND_OVER_ANNOTATION})
OF_NAMESPACES = frozenset({DELETION_POLICY_ANNOTATION, API_KEY_SECRET_ANNOTATION})
READ_ON_NAMESPACES = OF_NAMESPACES | (FLAGS - {FORCE_ORPHAN_ANNOTATION})


@dataclass(frozen=True, slots=True)
class Annotations:
    """The parsed annotations of an object. `notes` are sentences about invalid or unknown ones."""

    paused: bool | None = None  # None: not set
    approve_deletion: bool = False
    approve_recreation: bool = False
    force_orphan: bool = False
    reconcile: str | None = None
    hand_over_to: str | None = None
    credentials_current: str | None = None
    deletion_policy: str | None = None  # of a Namespace: a default for its objects
    api_key_secret: str | None = None  # likewise
    notes: tuple[str, ...] = ()


def read_annotations(raw: Mapping[str, str] | None, *, of_batch: bool = False) -> Annotations:
    """Read the annotations of an account, a batch or a namespace."""
    if not raw:
        return Annotations()
    return Annotations(
        paused=switch(raw, PAUSED_ANNOTATION),
        approve_deletion=flag(raw, APPROVE_DELETION_ANNOTATION),
        approve_recreation=flag(raw, APPROVE_RECREATION_ANNOTATION),
        force_orphan=flag(raw, FORCE_ORPHAN_ANNOTATION),
        reconcile=text(raw, RECONCILE_ANNOTATION),
        hand_over_to=(text(raw, HAND_OVER_ANNOTATION) or "").strip() or None,
        credentials_current=text(raw, CREDENTIALS_CURRENT_ANNOTATION),
        deletion_policy=(text(raw, DELETION_POLICY_ANNOTATION) or "").strip() or None,
        api_key_secret=(text(raw, API_KEY_SECRET_ANNOTATION) or "").strip() or None,
        notes=tuple(_notes(raw, of_batch=of_batch))[:MAX_NOTES],
    )


def namespace_notes(raw: Mapping[str, str] | None, namespace: str) -> tuple[str, ...]:
    """Sentences about invalid or unknown annotations of a Namespace."""
    return tuple(_notes_of_namespace(raw or {}, namespace))[:MAX_NOTES]


def flag(annotations: Mapping[str, str], name: str) -> bool:
    """Whether the value is `true`, in any case."""
    return annotations.get(name, "").strip().lower() == "true"


def switch(annotations: Mapping[str, str], name: str) -> bool | None:
    """True for `true`, False for `false`, in any case; else None."""
    return {"true": True, "false": False}.get(annotations.get(name, "").strip().lower())


def text(annotations: Mapping[str, str], name: str) -> str | None:
    """The value to store: as given, or its digest if it is longer than 253 characters."""
    value = annotations.get(name)
    if value is None or len(value) <= LONGEST:
        return value
    return f"sha256:{hashlib.sha256(value.encode(errors='replace')).hexdigest()}"


def _notes(annotations: Mapping[str, str], *, of_batch: bool) -> Iterator[str]:
    for name in sorted(annotations):
        if not name.startswith(f"{GROUP}/"):
            continue
        value = annotations[name]
        if name in FLAGS and value.strip().lower() not in {"true", "false", ""}:
            yield f"The annotation {name} {_ignored(value)}"
        elif name in TEXTS and of_batch:
            yield f"The annotation {name} has no effect on a SenderAccountBatch; set it on its SenderAccounts."
        elif name in TEXTS and len(value) > LONGEST:
            yield f"The annotation {name} is longer than {LONGEST} characters; only its digest is kept."
        elif name == HAND_OVER_ANNOTATION and (
            first_unseen(value.strip()) or not _NAMESPACE_AND_NAME.fullmatch(value.strip())
        ):
            yield f"The annotation {name} has the value {_quoted(value)}; it must be <namespace>/<name>."
        elif name in OF_NAMESPACES:
            yield f"The annotation {name} works on a Namespace only."
        elif name not in FLAGS | TEXTS:
            yield f"The annotation {_short(name)} is not known{_meant(name, FLAGS if of_batch else FLAGS | TEXTS)}"


def _notes_of_namespace(annotations: Mapping[str, str], namespace: str) -> Iterator[str]:
    for name in sorted(annotations):
        if not name.startswith(f"{GROUP}/"):
            continue
        value, about = annotations[name], f"The annotation {_short(name)} of namespace {namespace}"
        if name == DELETION_POLICY_ANNOTATION and value.strip() not in set(DeletionPolicy):
            yield f"{about} has the value {_quoted(value)}, which counts as Orphan; it must be Delete or Orphan."
        elif name in FLAGS & READ_ON_NAMESPACES and value.strip().lower() not in {"true", "false", ""}:
            yield f"{about} {_ignored(value)}"
        elif name in FLAGS | TEXTS and name not in READ_ON_NAMESPACES:
            yield f"{about} has no effect; set it on the object."
        elif name not in READ_ON_NAMESPACES:
            yield f"{about} is not known{_meant(name, READ_ON_NAMESPACES)}"


def _ignored(value: str) -> str:
    return f'has the value {_quoted(value)} and is ignored; it must be "true" or "false".'


def _meant(name: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    return f"; did you mean {near[0]}?" if near else "."


def _quoted(value: str) -> str:
    """The value, and the first character of it that nobody sees."""
    unseen = first_unseen(value[: 2 * _SHOWN].strip())
    return f'"{_short(value)}"' if unseen is None else f'"{_short(value)}" with {unseen}'


def _short(value: str) -> str:
    line = one_line(value[: 2 * _SHOWN])
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
