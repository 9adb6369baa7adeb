"""What can go wrong with a release."""


class ReleaseError(Exception):
    """A release that cannot be made; the message says what to do."""
