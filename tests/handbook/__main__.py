"""`python -m tests.handbook --write`: rewrite what the tutorial prints, and the pages of the reference."""

import argparse
import os
import tempfile
from pathlib import Path

from tests.handbook.console import play, rewritten
from tests.handbook.pages import TUTORIAL


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.handbook", description=__doc__)
    options.add_argument("--write", action="store_true", required=True, help="rewrite the pages")
    options.parse_args()
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / ".gitconfig").write_text(
            "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"
        )
        os.environ.update(HOME=home, GIT_CONFIG_NOSYSTEM="1", XDG_STATE_HOME=f"{home}/state")
        page = TUTORIAL.read_text("utf-8")
        TUTORIAL.write_text(rewritten(page, list(play(page, Path(home)))), "utf-8")


main()
