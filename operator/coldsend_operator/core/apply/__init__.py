"""Applies to the workspace what happened: a call that leaves, a response, a finished write to Kubernetes.

Every response ends in one of three ways for an account: it has an inbox, it is known to have none, or the outcome is
unknown (`UnknownCreate`) and only a probe decides.
"""

from coldsend_operator.core.apply.answers import fold
from coldsend_operator.core.apply.calls import (
    cancel,
    drop,
    finalizers_added,
    finalizers_removed,
    launch,
    leave,
    patch_failed,
    pause,
    write_refused,
)

__all__ = [
    "cancel",
    "drop",
    "finalizers_added",
    "finalizers_removed",
    "fold",
    "launch",
    "leave",
    "patch_failed",
    "pause",
    "write_refused",
]
