"""`python -m tests.handbook --write`: rewrite the pages of the reference, and what the tutorial prints."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.handbook.console import Difference, play, rewritten
from tests.handbook.pages import REFERENCE, TUTORIAL

CONFIGURATION = "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.handbook", description=__doc__)
    options.add_argument("--write", action="store_true", required=True, help="rewrite the pages")
    options.add_argument("--reference", action="store_true", help="only those of the reference, which takes a second")
    chosen = options.parse_args()
    for path, render in REFERENCE.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(render(), "utf-8")
    return 0 if chosen.reference else write_tutorial()


def write_tutorial() -> int:
    """Play the tutorial in a new home folder; what was played before a command failed is written, too."""
    found: list[Difference] = []
    page = TUTORIAL.read_text("utf-8")
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / ".gitconfig").write_text(CONFIGURATION)
        os.environ.update(HOME=home, GIT_CONFIG_NOSYSTEM="1", XDG_STATE_HOME=f"{home}/state")
        try:
            for difference in play(page, Path(home)):
                found.append(difference)  # noqa: PERF402  # what came before a failure is kept
        except AssertionError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        finally:
            TUTORIAL.write_text(rewritten(page, found), "utf-8")
    return 0


sys.exit(main())
