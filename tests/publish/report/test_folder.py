from pathlib import Path

import pytest

from ledger.errors import Conflict, LedgerError
from ledger.publish.report.folder import MARK, write_folder

ONE = {MARK: b'{"format":1,"metric":"a","files":["a.svg"]}', "a.svg": b"one"}
TWO = {MARK: b'{"format":1,"metric":"a","files":["b.svg"]}', "b.svg": b"two"}


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_report_is_replaced_only_when_asked(tmp_path: Path) -> None:
    place = tmp_path / "new" / "report"
    write_folder(place, ONE, force=False)
    with pytest.raises(Conflict, match="there is a report already") as caught:
        write_folder(place, TWO, force=False)
    assert caught.value.hint == "to replace it: --force"
    assert content(place) == ONE
    write_folder(place, TWO, force=True)
    assert content(place) == TWO
    assert [path.name for path in place.parent.iterdir()] == ["report"]


@pytest.mark.parametrize("also", [{}, ONE])
def test_a_folder_with_foreign_files_is_never_touched(tmp_path: Path, also: dict[str, bytes]) -> None:
    for name, data in (also | {"thesis.tex": b"mine"}).items():
        (tmp_path / name).write_bytes(data)
    before = content(tmp_path)
    with pytest.raises(Conflict):
        write_folder(tmp_path, TWO, force=True)
    assert content(tmp_path) == before


def test_a_file_or_a_link_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("file", "link"):
        with pytest.raises(LedgerError, match="not a folder"):
            write_folder(tmp_path / name, ONE, force=True)
    assert content(tmp_path / "real") == {}


@pytest.mark.parametrize("step", range(6))
def test_stopped_at_any_step_there_is_the_old_or_the_new_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    place = tmp_path / "report"
    write_folder(place, ONE, force=False)
    left = [step]

    def stop_at(function: object) -> object:
        def stopped(*given: object) -> object:
            left[0] -= 1
            if left[0] == -1:
                raise KeyboardInterrupt
            return function(*given)  # type: ignore[operator]  # a method of Path

        return stopped

    with monkeypatch.context() as patched:
        for name in ("write_bytes", "rename"):
            patched.setattr(Path, name, stop_at(getattr(Path, name)))
        try:
            write_folder(place, TWO, force=True)
            done = True
        except KeyboardInterrupt:
            done = False
    assert content(place) == TWO if done else content(place) in (ONE, TWO)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_a_kill_between_two_renames_left_is_put_back(tmp_path: Path) -> None:
    write_folder(tmp_path / "report", ONE, force=False)
    (tmp_path / "report").rename(tmp_path / ".report.4711.old")
    with pytest.raises(Conflict, match="there is a report already"):
        write_folder(tmp_path / "report", TWO, force=False)
    assert content(tmp_path / "report") == ONE


def test_a_disk_that_refuses_is_one_line_that_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(LedgerError, match=r"the report cannot be written: .+: `.+/file/report`"):
        write_folder(tmp_path / "file" / "report", {"report.json": b"{}"}, force=False)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
