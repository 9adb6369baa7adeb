"""The one clock of the process: Unix seconds that never jump while it runs."""

from coldsend_operator.kube.clock import unix_seconds


class Clock:
    """The clock against which the API server's is measured, too: times of both are compared (rule 6)."""

    def __call__(self) -> float:
        return unix_seconds()
