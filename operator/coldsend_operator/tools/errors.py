"""The errors that end a command."""


class CommandError(Exception):
    """One sentence: what is wrong and what to do. `exit_code`: 1 failure, 2 wrong usage."""

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class UsageError(CommandError):
    """The options or arguments do not fit together."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, exit_code=2)
