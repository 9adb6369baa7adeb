"""The clients that all workspaces share, and the API keys that are open for calls."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from coldsend_operator.accounts.bookings import Bookings
from coldsend_operator.audit_log import AuditLog
from coldsend_operator.coldsend.client import ColdSendClient, OnAnswer
from coldsend_operator.credentials.passwords import SecretReader
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.leadership import Leadership
from coldsend_operator.kube.set_aside import SetAside
from coldsend_operator.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients of Kubernetes, the stored state, the clock, and what else all workspaces share."""

    kube: KubeClient
    status_kube: KubeClient  # with separate slots: many writes of status do not delay marks and bookings
    bookings: Bookings
    leadership: Leadership
    metrics: Metrics
    clock: Callable[[], float]
    reader: Callable[[], SecretReader]
    set_aside: SetAside
    audit: AuditLog
    jitter: Callable[[], float]  # 0 to 1
    coldsend: Callable[[SecretStr, OnAnswer], ColdSendClient]  # makes the client of an API key


@dataclass(slots=True)
class OpenKey:
    """An API key that is open for calls. `namespace` is that of its Secret, empty for the operator's own."""

    client: ColdSendClient
    label: str
    namespace: str
    answered: bool = False  # whether ColdSend has ever answered to this key, even with a refusal
