"""Takes what happened into the ledger: a call that leaves, the answer that comes, a write to Kubernetes that is done.

Every answer ends in one of three ways for an account: it has an inbox, it is known to have none, or the outcome is
unknown (`Lost`) and only a look decides.
"""

from coldsend_operator.core.folding.chores import chore_failed, marked, unmarked
from coldsend_operator.core.folding.dispatch import fold
from coldsend_operator.core.folding.leaving import cancel, drop, launch, leave, pause
from coldsend_operator.core.folding.pieces import hold

__all__ = ["cancel", "chore_failed", "drop", "fold", "hold", "launch", "leave", "marked", "pause", "unmarked"]
