"""What can go wrong, as one sentence for the person who started it."""


class DevclusterError(Exception):
    """The control plane could not be built, started or kept; `exit_code` is that of the command line."""

    exit_code = 1


class WrongSettingError(DevclusterError):
    """A setting of the caller's environment cannot be used."""

    exit_code = 2
