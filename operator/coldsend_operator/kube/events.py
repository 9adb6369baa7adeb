"""Kubernetes Events about our objects: sent once, best effort."""

import os
import socket
import time
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from coldsend_operator.kube import paths
from coldsend_operator.kube.client import FIELD_MANAGER, KubeClient
from coldsend_operator.kube.errors import Forbidden, KubeError
from coldsend_operator.kube.paths import Ref
from coldsend_operator.logs import Event, log
from coldsend_operator.resources.names import API_VERSION, GROUP

NOTE_BYTES = 1024  # the maximum of the API server
TERMINATING = "it is being terminated"  # the end of the API server's message about a terminating namespace
NAME_LENGTH = 200  # leaves space for a unique suffix


async def emit(
    client: KubeClient,
    ref: Ref,
    type: Literal["Normal", "Warning"],  # noqa: A002 - the name of the field
    reason: str,
    message: str,
    action: str,
) -> None:
    """Send an Event about the object. Never raises: an Event is not worth a failed action."""
    throttle = client.event_throttles.refused_by(ref.namespace, ref.kind)
    if throttle is not None:
        if throttle.refused == 1:
            message = f"more than {throttle.burst} Events at once; this is logged once"
            log.warning(Event.EVENTS_DROPPED, kind=ref.kind, namespace=ref.namespace, message=message)
        return
    try:
        await client.create(
            paths.events(ref.namespace), _event(client, ref, level=type, reason=reason, message=message, action=action)
        )
    except KubeError as error:
        if isinstance(error, Forbidden) and TERMINATING in error.message:
            return  # a terminating namespace accepts no new Events
        log.warning(Event.CALL_FAILED, operation="event", namespace=ref.namespace, name=ref.name, message=str(error))


def _event(client: KubeClient, ref: Ref, *, level: str, reason: str, message: str, action: str) -> dict[str, Any]:
    now = datetime.fromtimestamp(time.time() + client.clock_offset, UTC)
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": f"{ref.name[:NAME_LENGTH].rstrip('.-')}.{uuid4().hex[:16]}",
            "namespace": ref.namespace,
        },
        "eventTime": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "reportingController": f"{GROUP}/{FIELD_MANAGER}",
        "reportingInstance": f"{FIELD_MANAGER}-{os.environ.get('HOSTNAME') or socket.gethostname()}"[:128],
        "action": action,
        "reason": reason,
        "type": level,
        "note": _cut(message),
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": ref.kind,
            "namespace": ref.namespace,
            "name": ref.name,
            "uid": ref.uid,
        },
    }


def _cut(message: str) -> str:
    return message.encode()[:NOTE_BYTES].decode(errors="ignore")
