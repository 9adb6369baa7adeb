from tests.core.conftest import failures_in_the_log

__all__ = ["failures_in_the_log"]
