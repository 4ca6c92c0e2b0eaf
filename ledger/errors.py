"""Errors, divided by what the caller does next. Knows nothing of the rest of the package."""

from collections.abc import Sequence


class LedgerError(Exception):
    """A problem that the user can fix: one line, and a hint that says what to type.

    Example:
        >>> except ledger.LedgerError as error: print(error.message, error.hint)

    Args:
        message: lower case, no full stop, the offending value last, after a colon, in backticks.
        hint: what to do about it, when something can be done.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LedgerError):
    """The command or call itself is wrong: exit code 2."""

    exit_code = 2


class NoVerdict(LedgerError):
    """A question that is answered by exit codes could not be asked: exit code 4, which is no answer."""

    exit_code = 4


class InvalidDocument(LedgerError):
    """A document does not conform to its format; every problem found is listed.

    Args:
        source: the file or path the document was read from.
        problems: one line each, the field first.
    """

    def __init__(self, source: str, problems: Sequence[str], *, hint: str | None = None) -> None:
        super().__init__(f"{source}: {'; '.join(problems)}", hint=hint)
        self.source = source
        self.problems = tuple(problems)


class NotFound(LedgerError):
    """The requested object does not exist: a repository, a ledger, a run, a file."""


class Conflict(LedgerError):
    """The ledger has other content already; nothing was written."""


class LostRace(LedgerError):
    """Another writer moved the branch first; nothing was written, and the caller should retry."""


class GitKilled(LedgerError):
    """Git was killed while it wrote; the caller should remove its locks and retry."""


class NotAppended(LedgerError):
    """The record is safe in the spool but not yet on the branch; `ledger recover` finishes it."""


class Unanswered(LedgerError):
    """A remote did not answer in time; whether it did what was requested is unknown, and the caller should retry."""
