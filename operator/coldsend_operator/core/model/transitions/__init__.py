"""Every change of an account, as a function named after what happened: nothing else assigns its fields.

Nothing is decided here: the callers know what happened, and what follows from it in the workspace is theirs too.
"""

from coldsend_operator.core.model.transitions.creates import *
from coldsend_operator.core.model.transitions.deletes import *
from coldsend_operator.core.model.transitions.inboxes import *
from coldsend_operator.core.model.transitions.objects import *
from coldsend_operator.core.model.transitions.reads import *
from coldsend_operator.core.model.transitions.waits import *
