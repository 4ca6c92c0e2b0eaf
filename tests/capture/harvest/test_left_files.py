"""Files that a training left: those of its span of time, in its own folders, in bounded time."""

import os
import re
from pathlib import Path

from ledger.capture.harvest.left_files import LeftFiles, find_left_files

NAMES = re.compile(r".*\.(?:csv|pt)")


def put(path: Path, written: float, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (written, written))
    return path


def find(folder: Path, *without: Path) -> LeftFiles:
    return find_left_files([folder], NAMES, 1000.0, 2000.0, without)


def names(found: LeftFiles, folder: Path) -> list[str]:
    return [file.path.relative_to(folder).as_posix() for file in found.files]


def test_only_files_of_the_span_and_of_known_names_count(tmp_path: Path) -> None:
    put(tmp_path / "before.csv", 999.9)
    put(tmp_path / "at start.csv", 1000.0)
    put(tmp_path / "deep/er/in.pt", 1500.0)
    put(tmp_path / "at end.csv", 2000.0)
    put(tmp_path / "after.csv", 2000.1)
    put(tmp_path / "other.txt", 1500.0)
    assert names(find(tmp_path), tmp_path) == ["at end.csv", "at start.csv", "deep/er/in.pt"]


def test_environments_repositories_data_and_links_are_not_entered(tmp_path: Path) -> None:
    for folder in (".git", "node_modules", "__pycache__", ".venv", "env/lib", "data"):
        put(tmp_path / folder / "a.csv", 1500.0)
    put(tmp_path / "env/pyvenv.cfg", 1500.0)
    outside = put(tmp_path.parent / "outside/a.csv", 1500.0)
    (tmp_path / "linked").symlink_to(outside.parent)
    (tmp_path / "link.csv").symlink_to(outside)
    os.mkfifo(tmp_path / "pipe.csv")
    assert names(find(tmp_path, tmp_path / "data"), tmp_path) == []


def test_a_folder_of_a_hundred_thousand_files_is_bounded_and_said(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for number in range(50_000):
            os.close(os.open(tmp_path / folder / str(number), os.O_CREAT))
    put(tmp_path / "b/deep/a.csv", 1500.0)
    found = find(tmp_path)
    assert found.files == []
    assert found.notice == "only 50,002 files and folders: `a` is the last of them"


def test_results_near_the_top_are_found_first(tmp_path: Path) -> None:
    put(tmp_path / "z/a.csv", 1500.0)
    for number in range(300):
        put(tmp_path / f"a/{number}/{number}/x", 1.0)
    assert names(find(tmp_path), tmp_path) == ["z/a.csv"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert find(tmp_path / "none") == LeftFiles([])
