"""Takes what happened into the workspace: a call that leaves, an answer, a write to Kubernetes that is done.

Every answer ends in one of three ways for an account: it has an inbox, it is known to have none, or the outcome is
unknown (`UnknownCreate`) and only a look decides.
"""

from coldsend_operator.core.apply.answers import fold
from coldsend_operator.core.apply.calls import cancel, drop, launch, leave, pause
from coldsend_operator.core.apply.finalizers import finalizers_added, finalizers_removed, patch_failed

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
]
