"""Which commits lead to one tip and not to another, whatever their dates say."""

import subprocess
from pathlib import Path

from ledger.repository.history.walk import walk
from ledger.repository.repository import Repository
from tests.conftest import git_in


def make_skewed(folder: Path) -> None:
    """Make a beginning that is dated after all that stands on it, as where old runs are recorded later."""
    git_in(folder.parent, "init", "--quiet", "--bare", str(folder))
    dates = {
        "begin": 9_000,
        **{f"shared{n}": 2_000 + n for n in range(3)},
        **{f"ours{n}": 1_000 - n for n in range(30)},
    }
    stream = b""
    for name, date in dates.items():
        # A commit goes onto its own branch unless it says where from.
        parent = "from refs/heads/shared\n" if name == "ours0" else ""
        stream += _commit("since" if name.startswith("ours") else "shared", name, 1_700_000_000 + date, parent)
    stream += _commit("tip", "theirs", 1_700_000_000 + 3_000, "from refs/heads/shared\n")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream, check=True)


def _commit(branch: str, name: str, date: int, parent: str) -> bytes:
    text = (
        f"commit refs/heads/{branch}\ncommitter Ada <ada@example.com> {date} +0000\ndata {len(name)}\n{name}\n"
        f"{parent}M 100644 inline {name}\ndata 0\n\n"
    )
    return text.encode()


def test_dates_that_go_back_bring_no_commit_into_a_walk_that_is_known_already(tmp_path: Path) -> None:
    folder = tmp_path / "skewed.git"
    make_skewed(folder)
    repository = Repository.discover(folder)
    steps = list(walk(repository, "refs/heads/tip", "refs/heads/since"))
    assert [step.commit for step in steps] == [git_in(folder, "rev-parse", "tip").strip()]
    assert git_in(folder, "rev-list", "--count", "tip", "^since").strip() != "1", "else this test shows nothing"


def test_a_walk_since_another_history_is_the_whole_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "skewed.git"
    make_skewed(folder)
    stream = _commit("other", "other", 1_700_000_000, "")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream, check=True)
    assert len(list(walk(Repository.discover(folder), "refs/heads/tip", "refs/heads/other"))) == 5
