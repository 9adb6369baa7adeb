"""The names and specs of the SenderAccounts of a batch, derived only from the batch and the inbox."""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from coldsend_operator.resources.batch import BatchInbox, SenderAccountBatchSpec
from coldsend_operator.resources.names import BATCH_LABEL, DOMAIN_LABEL

MAX_NAME = 63
DIGEST_LENGTH = 10
# A long batch name is cut and gets its own digest, so that no two batches share a child's name.
BATCH_DIGEST_LENGTH = 6
MAX_BATCH_PART = MAX_NAME - DIGEST_LENGTH - 1

# Labels that mark what a tool owns. On a child they would make the tool prune it, as it is not in its manifests.
TRACKING_LABELS = frozenset({"app.kubernetes.io/instance", "app.kubernetes.io/managed-by"})
TRACKING_DOMAINS = frozenset(
    {
        "addonmanager.kubernetes.io",
        "applyset.kubernetes.io",  # kubectl apply --prune --applyset
        "argocd.argoproj.io",
        "cli-utils.sigs.k8s.io",
        "configmanagement.gke.io",
        "configsync.gke.io",
        "fluxcd.io",
        "helm.sh",
        "kapp.k14s.io",
        "objectset.rio.cattle.io",  # Fleet and k3s
        "velero.io",
    }
)

MAX_LABELS, MAX_LABEL_CHARACTERS = 50, 5_000  # each label is stored with each of up to 5,000 children
LABEL_VALUE = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
NOT_IN_A_LABEL = re.compile(r"[^a-z0-9-]+")


def digest(text: str, length: int) -> str:
    """Lower-case base32 of the SHA-256 of `text`, the first `length` characters."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:length]


def child_name(batch: str, address_or_prefix: str) -> str:
    """`<batch>-<readable part>-<digest>`, a DNS label of at most 63 characters; the readable part is cut first."""
    identity = address_or_prefix.lower()
    first = _batch_part(batch)
    last = digest(identity, DIGEST_LENGTH)
    length = max(0, MAX_NAME - len(first) - len(last) - 2)
    readable = NOT_IN_A_LABEL.sub("-", identity.partition("@")[0])[:length].strip("-")
    return "-".join(part for part in (first, readable, last) if part)


def _batch_part(batch: str) -> str:
    label = batch.replace(".", "-")
    if label == batch and len(label) <= MAX_BATCH_PART:
        return label
    return f"{label[: MAX_BATCH_PART - BATCH_DIGEST_LENGTH - 1].strip('-')}-{digest(batch, BATCH_DIGEST_LENGTH)}"


def child_labels(batch: str, labels: Mapping[str, str] | None) -> dict[str, str]:
    """The labels of the children of a batch with these labels, without those that mark what a tool owns.

    The label of the domain is left out too: each child has its own.
    """
    taken = {name: value for name, value in (labels or {}).items() if not _tracks(name)}
    return {**taken, BATCH_LABEL: batch}


def labels_problem(labels: Mapping[str, str]) -> str | None:
    """Why the children cannot have these labels."""
    size = sum(len(name) + len(value) for name, value in labels.items())
    if len(labels) <= MAX_LABELS and size <= MAX_LABEL_CHARACTERS:
        return None
    return (
        f"Each SenderAccount of this batch would have its {len(labels)} labels, of {size} characters; at most "
        f"{MAX_LABELS} of {MAX_LABEL_CHARACTERS} characters are possible. Remove labels from the batch."
    )


def _tracks(label: str) -> bool:
    domain = label.rpartition("/")[0]
    known = domain in TRACKING_DOMAINS or domain.endswith(".fluxcd.io") or domain.startswith("kustomize.")
    return known or label in TRACKING_LABELS or label == DOMAIN_LABEL


def domain_label(domain: str) -> dict[str, str]:
    """The label with the domain of an inbox; none if the domain does not fit into a label."""
    return {DOMAIN_LABEL: domain} if LABEL_VALUE.fullmatch(domain) else {}


def child_spec(batch: SenderAccountBatchSpec, inbox: BatchInbox) -> dict[str, Any]:
    """The spec of the SenderAccount for one inbox: the template, overridden by the inbox."""
    spec = batch.template.to_raw()
    spec.pop("testEmail", None)  # refused for a batch: one person would get thousands
    if batch.deletion_protection:
        spec["deletionProtection"] = True
    own = inbox.to_raw()
    for field in ("emailAddress", "displayName", "dailyLimit"):
        if field in own:
            spec[field] = own[field]
    if inbox.email_prefix is not None:
        spec["native"] = {**spec.get("native", {}), "emailPrefix": inbox.email_prefix}
    if inbox.password_key is not None:
        _use_password_key(spec, inbox.password_key)
    return spec


def _use_password_key(spec: dict[str, Any], key: str) -> None:
    """The key of the inbox replaces the one of smtp, and of imap if imap names a Secret without a key."""
    if "smtp" in spec:
        spec["smtp"]["passwordSecretRef"]["key"] = key
    imap_reference = spec.get("imap", {}).get("passwordSecretRef")
    if imap_reference is not None:
        imap_reference.setdefault("key", key)
