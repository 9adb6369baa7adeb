"""The error of releases."""


class ReleaseError(Exception):
    """A release that cannot be made; the message says what to do."""
