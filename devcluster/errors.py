"""The errors, each with one sentence for the user."""


class DevclusterError(Exception):
    """The control plane could not be built or started, or it ended; `exit_code` is for the command line."""

    exit_code = 1


class WrongSettingError(DevclusterError):
    """An environment variable has a value that cannot be used."""

    exit_code = 2
