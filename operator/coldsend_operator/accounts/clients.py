"""What every workspace shares of the outside world, and the API keys that calls are made with."""

from collections.abc import Callable
from dataclasses import dataclass

from coldsend_operator.accounts.bookings import Bookings
from coldsend_operator.audit_log import AuditLog
from coldsend_operator.coldsend.client import ColdSendClient
from coldsend_operator.credentials.passwords import SecretReader
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.leadership import Leadership
from coldsend_operator.kube.set_aside import SetAside
from coldsend_operator.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Clients:
    """What every workspace shares of the outside world."""

    kube: KubeClient
    status_kube: KubeClient  # slots of its own: marks and bookings wait for no flood of status
    bookings: Bookings
    leadership: Leadership
    metrics: Metrics
    clock: Callable[[], float]
    reader: Callable[[], SecretReader]
    set_aside: SetAside
    audit: AuditLog
    jitter: Callable[[], float]  # 0 to 1


@dataclass(slots=True)
class OpenKey:
    """An API key that calls are made with. `namespace` is that of its Secret, empty for the operator's own."""

    client: ColdSendClient
    label: str
    namespace: str
    answered: bool = False  # ColdSend has answered to this key, be it with a refusal
