"""Whether the data that are read are those of the dataset version: hashed beside the training, which need not wait."""

import threading
from collections.abc import Callable

from ledger.data.version.manifest import Manifest
from ledger.errors import LedgerError


class VersionCheck:
    """The content of a dataset against the hash of its version.

    Args:
        expected: hash of the version.
        label: name of the version, for messages.
        place: where the data lie, for messages.
        compute: hashes the data; none where nobody looks.
    """

    def __init__(self, expected: str, label: str, place: str, compute: Callable[[], Manifest] | None) -> None:
        self.done = False
        """Whether the content was seen to be that of the version."""
        self.expected, self._label, self._place = expected, label, place
        self._problem: LedgerError | None = None
        if compute is not None:
            threading.Thread(target=self._look, args=(compute,), name="ledger-verify", daemon=True).start()

    @classmethod
    def passed(cls, content: str) -> "VersionCheck":
        """Return the verification of content that was hashed before."""
        made = cls(content, "", "", None)
        made.done = True
        return made

    def check(self) -> None:
        """Do nothing until the content is known to be another one.

        Raises:
            LedgerError: it is, or it cannot be read.
        """
        if self._problem is not None:
            raise self._problem

    def _look(self, compute: Callable[[], Manifest]) -> None:
        try:
            found = compute().hash
        except LedgerError as error:
            self._problem = error
            return
        if found == self.expected:
            self.done = True
            return
        self._problem = LedgerError(
            f"the data are not those of {self._label}: `{self._place}`",
            hint=f"ledger dataset check {self._place} {self._label}",
        )
