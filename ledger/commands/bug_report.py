"""The paste-ready report of a bug."""

import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from ledger import __version__


def write_report(error: BaseException, arguments: Sequence[str]) -> Path:
    """Write what a maintainer needs, secrets removed, to a temporary file and return it."""
    from ledger.capture.secrets.redactor import Redactor

    trace = "".join(traceback.format_exception(error))
    text = (
        f"git-ledger {__version__}, Python {sys.version.split()[0]}, {platform.platform()}\n"
        f"arguments: {Redactor().argv(list(arguments))}\n\n{Redactor().text(trace)}"
    )
    with tempfile.NamedTemporaryFile("w", prefix="ledger-bug-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(text)
    return Path(file.name)
