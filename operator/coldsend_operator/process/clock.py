"""The clock of the process: Unix seconds that never jump."""

from coldsend_operator.kube.clock import unix_seconds


class Clock:
    """The clock that the API server's offset refers to, as times of both are compared (rule 6)."""

    def __call__(self) -> float:
        return unix_seconds()
