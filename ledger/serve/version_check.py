"""Whether the data that are read are those of the dataset version: hashed beside the training, which need not wait."""

import os
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
        self.expected = expected
        """Hash of the version."""
        self.done = False
        """Whether the content was seen to be that of the version."""
        self._label, self._place, self._compute = label, place, compute
        self._problem: LedgerError | None = None
        self._start()

    @classmethod
    def known(cls, content: str, *, done: bool = True) -> "VersionCheck":
        """Return the check of content that was hashed elsewhere, or that nobody hashes."""
        made = cls(content, "", "", None)
        made.done = done
        return made

    def check(self) -> None:
        """Do nothing until the content is known to be another one; a forked process looks for itself.

        Raises:
            LedgerError: it is, or it cannot be read.
        """
        if self._pid != os.getpid() and not self.done and self._problem is None:
            self._start()
        if self._problem is not None:
            raise self._problem

    def wait(self) -> None:
        """Wait until the content is known.

        Raises:
            LedgerError: it is another one, or it cannot be read.
        """
        self.check()
        if self._thread is not None:
            self._thread.join()
        self.check()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None
        if self._compute is not None:
            self._thread = threading.Thread(target=self._look, args=(self._compute,), name="ledger-verify", daemon=True)
            self._thread.start()

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
