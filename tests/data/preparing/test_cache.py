"""The preprocessing cache: a step runs once for its code, params and data, whole or not at all."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import ledger
from ledger.data.preparing.cache import Cache
from ledger.data.preparing.decorator import Cached
from ledger.data.version.manifest import build_manifest
from ledger.errors import LedgerError
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Cli


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    monkeypatch.setenv("LEDGER_CACHE", str(tmp_path / "cache"))
    return Cache()


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "a.txt").write_text("3 1 2\n")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[..., object]]:
    """Write a user's module and return its function `step`; a second call stands for an edited file."""
    monkeypatch.syspath_prepend(str(tmp_path))
    written = 0

    def write(source: str) -> Callable[..., object]:
        nonlocal written
        written += 1
        folder = tmp_path / f"project{written}"
        folder.mkdir()
        (folder / "steps.py").write_text("from pathlib import Path\nimport ledger\n" + source)
        monkeypatch.syspath_prepend(str(folder))
        sys.modules.pop("steps", None)
        step: Callable[..., object] = __import__("steps").step
        return step

    return write


SOURCE = """
def half(values):
    return [value / 2 for value in values]

CALLS = Path({calls!r})

@ledger.cached(dataset={raw!r}, params={{"unit": "cm"}})
def step(scale=1):
    CALLS.write_text((CALLS.read_text() if CALLS.exists() else "") + "x")
    return half([int(word) * scale for word in Path({raw!r}, "a.txt").read_text().split()])
"""


def calls(tmp_path: Path) -> int:
    file = tmp_path / "calls"
    return len(file.read_text()) if file.exists() else 0


def source(tmp_path: Path, raw: Path) -> str:
    return SOURCE.format(calls=str(tmp_path / "calls"), raw=str(raw))


def test_a_step_runs_once_for_its_code_params_and_data(
    tmp_path: Path, raw: Path, project: Callable[[str], Callable[..., object]]
) -> None:
    step = project(source(tmp_path, raw))
    assert step() == step() == [1.5, 0.5, 1.0]
    assert calls(tmp_path) == 1
    assert step(scale=2) == [3.0, 1.0, 2.0]  # another param
    assert calls(tmp_path) == 2
    assert project(source(tmp_path, raw) + "\n# a remark\n")() == [1.5, 0.5, 1.0]  # the same code
    assert calls(tmp_path) == 2
    assert project(source(tmp_path, raw).replace("value / 2", "value / 4"))() == [0.75, 0.25, 0.5]  # what it calls
    assert calls(tmp_path) == 3
    (raw / "a.txt").write_text("8\n")  # other data
    assert step() == [4.0]
    assert calls(tmp_path) == 4


def test_data_that_moved_is_the_same_data(tmp_path: Path, raw: Path, cache: Cache) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "a.txt").write_text((raw / "a.txt").read_text())

    def step() -> int:
        return 1

    for folder in (raw, other):
        assert Cached(step, [str(folder)], {}, "", None)() == 1
    assert len(cache.made()) == 1
    Cached(step, [str(raw)], {}, "2", None)()
    assert len(cache.made()) == 2


VALUES = [
    {"a": [1, 2.5, None, True, "x"], "b": (1, (2,)), "c": b"\x00\xff"},
    np.arange(6).reshape(2, 3),
    {"x": np.float32(0.5), "y": [np.array(["a", "b"])]},
    torch.arange(4.0).reshape(2, 2),
]


@pytest.mark.parametrize("value", VALUES, ids=["plain", "array", "nested", "tensor"])
def test_a_result_comes_back_as_it_was(value: object) -> None:
    def step() -> object:
        return value

    kept = Cached(step, [], {"id": str(type(value))}, "", None)
    first, second = kept(), kept()
    for got in (first, second):
        assert type(got) is type(value)
        assert repr(got) == repr(value)


def test_what_has_no_form_without_pickle_is_refused(cache: Cache) -> None:
    def step() -> object:
        return {"model": object()}

    with pytest.raises(LedgerError, match=r"`result\.model` is a object"):
        Cached(step, [], {}, "", None)()
    assert cache.made() == []
    assert list((cache.folder / "making").iterdir()) == []

    def takes(value: object) -> object:
        return value

    with pytest.raises(LedgerError, match="not a plain value, so it cannot be part of the key: `value`"):
        Cached(takes, [], {}, "", None)(np.zeros(3))


def test_a_step_that_writes_files_returns_their_place_and_nobody_may_change_them(raw: Path) -> None:
    def step(out: Path, size: int) -> None:
        (out / "small").mkdir()
        (out / "small" / "a.txt").write_text((raw / "a.txt").read_text()[:size])

    kept = Cached(step, [str(raw)], {}, "", None)
    kept(size=3)  # type: ignore[call-arg]  # the cache gives `out`
    place = kept.path
    assert place is not None
    assert (place / "small" / "a.txt").read_text() == "3 1"
    assert (place / "small" / "a.txt").stat().st_mode & 0o222 == 0
    assert place.name == build_manifest(place).hash.removeprefix("blake3:")


def test_a_step_that_fails_or_is_killed_leaves_no_half_result(
    tmp_path: Path, raw: Path, cache: Cache, cli: Cli
) -> None:
    script = tmp_path / "prep.py"
    script.write_text(
        "import sys, pathlib, time\n"
        "out = pathlib.Path(sys.argv[2]); (out / 'half').write_text('x')\n"
        "marker = pathlib.Path(sys.argv[3]); mode = marker.read_text()\n"
        "if mode == 'hang': marker.write_text('hanging'); time.sleep(60)\n"
        "if mode == 'fail': sys.exit(7)\n"
        "(out / 'whole').write_text('y')\n"
    )
    marker = tmp_path / "marker"
    words = (
        "prepare",
        "-d",
        str(raw),
        "-o",
        str(tmp_path / "out"),
        "--",
        sys.executable,
        str(script),
        "{dataset}",
        "{out}",
        str(marker),
    )
    marker.write_text("fail")
    assert cli(*words).code == 7
    assert not (tmp_path / "out").exists()
    # The marker is named by the command, so its content is part of the key: keep it the same from here on.
    marker.write_text("hang")
    process = subprocess.Popen(
        [sys.executable, "-m", "ledger", *words], env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while marker.read_text() != "hanging":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert cache.made() == []
    assert any((cache.folder / "making").iterdir())
    marker.write_text("go on")
    done = cli(*words)
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["half", "whole"]
    assert "made in" in done.err
    again = cli(*words, "")
    assert again.code == 0


def ask(folder: str, marks: str) -> None:
    def make(place: Path) -> None:
        with Path(marks).open("a") as file:
            file.write("x")
        time.sleep(0.3)
        (place / "result").write_text("1")

    from ledger.model.datasets import Preparation

    step = Preparation(step="s", code="blake3:0", sources=[], duration_seconds=0)
    assert Cache(Path(folder)).prepare("k", step, make).preparation.duration_seconds >= 0.3


def test_processes_that_ask_at_once_run_it_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    asking = [spawn.Process(target=ask, args=(str(tmp_path / "c"), str(tmp_path / "marks"))) for _ in range(4)]
    for process in asking:
        process.start()
    for process in asking:
        process.join()
        assert process.exitcode == 0
    assert (tmp_path / "marks").read_text() == "x"


def fill(cache: Cache, raw: Path, number: int, size: int = 1000) -> Path:
    def step(out: Path, number: int) -> None:
        (out / "data").write_bytes(bytes([number]) * size)

    kept = Cached(step, [str(raw)], {}, "", cache.folder)
    kept(number=number)  # type: ignore[call-arg]  # the cache gives `out`
    assert kept.path is not None
    return kept.path


def test_what_was_used_longest_ago_goes_first_and_what_is_linked_last(tmp_path: Path, raw: Path, cache: Cache) -> None:
    for number in (1, 2, 3):
        fill(cache, raw, number)
        os.utime(max((cache.folder / "steps").glob("*.json"), key=lambda file: file.stat().st_mtime), (number, number))
    oldest = cache.made()[0]
    cache.link(oldest, tmp_path / "out")
    os.utime(cache.folder / "steps" / f"{oldest.key}.json", (0, 0))
    gone = cache.shrink(2_000)
    assert [one.preparation.params["number"] for one in gone] == [2]
    assert [one.preparation.params["number"] for one in cache.shrink(0)] == [3, 1]
    assert cache.made() == []
    assert list((cache.folder / "content").iterdir()) == []


def test_a_cache_that_is_removed_damaged_or_full_only_costs_time(raw: Path, cache: Cache) -> None:
    import shutil

    place = fill(cache, raw, 1)
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run(["rm", "-rf", str(place)], check=True)
    assert (fill(cache, raw, 1) / "data").is_file()
    (step,) = (cache.folder / "steps").glob("*.json")
    step.write_text("{")
    assert (fill(cache, raw, 1) / "data").is_file()
    cache.folder.rename(cache.folder.with_name("gone"))
    cache.folder.write_text("no folder")
    with pytest.raises(LedgerError, match="cache of prepared data cannot be used"):
        fill(cache, raw, 1)


def test_a_run_records_how_its_data_was_prepared(repo: Path, raw: Path, cli: Cli) -> None:
    done = cli("prepare", "-d", str(raw), "-p", "size=3", "-o", "data/small", "--", "cp", str(raw / "a.txt"), "{out}")
    assert done.code == 0, done.err
    assert Path("data/small/a.txt").read_text() == "3 1 2\n"
    assert json.loads(cli("cache", "--json").out)[0]["preparation"]["params"] == {"size": 3}
    again = cli(
        "prepare", "-d", str(raw), "-p", "size=3", "-o", "data/small", "--", "cp", str(raw / "a.txt"), "{out}", env={}
    )
    assert "there already" in again.err
    assert (
        cli("record", "--metric", "test/loss=1", "--dataset", "train=data/small", "--dataset", f"test={raw}").code == 0
    )
    small, other = Branch.open(repo).contents().runs[0].record.datasets.used
    assert small.prepared is not None
    assert small.prepared.sources[0].hash == build_manifest(raw).hash == other.hash
    assert (small.prepared.params, other.prepared) == ({"size": 3}, None)
    assert "prepared" in cli("show", Branch.open(repo).contents().runs[0].record.id).out
    taken = cli("prepare", "-d", str(raw), "-o", str(raw), "--", "cp", str(raw / "a.txt"), "{out}")
    assert (taken.code, "something else is already" in taken.err) == (1, True)
    assert "removed 2 steps" in cli("cache", "clean").err
    assert ledger.cached is not None


def test_a_cache_that_is_named_from_the_current_folder_stays_where_it_is(
    tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEDGER_CACHE", "here/cache")
    kept = Cache()
    place = fill(kept, raw, 1)
    kept.link(kept.made()[0], tmp_path / "deep" / "down" / "out")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert (place / "data").is_file()
    assert (tmp_path / "deep" / "down" / "out" / "data").is_file()


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"LEDGER_CACHE": "/x/y", "XDG_CACHE_HOME": "/z"}, "/x/y"),
        ({"LEDGER_CACHE": "~/c", "HOME": "/h"}, "/h/c"),
        ({"LEDGER_CACHE": "", "XDG_CACHE_HOME": "/z"}, "/z/ledger"),
        ({"LEDGER_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/ledger"),
    ],
)
def test_the_folder_of_the_cache_is_the_named_one_else_the_users(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Cache().folder == Path(folder)


def test_a_link_follows_the_newest_result_and_nothing_else_is_replaced(tmp_path: Path, raw: Path, cache: Cache) -> None:
    fill(cache, raw, 1)
    fill(cache, raw, 2)
    one, two = sorted(cache.made(), key=lambda step: str(step.preparation.params["number"]))
    place = tmp_path / "out"
    for step in (one, one, two):
        cache.link(step, place)
        assert place.readlink() == cache.content(step)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []
    place.unlink()
    place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(LedgerError, match=r"`.*out`"):
        cache.link(one, place)
    assert place.readlink() == tmp_path / "nowhere"


def test_two_steps_of_one_result_share_it_until_the_last_is_removed(tmp_path: Path, raw: Path, cache: Cache) -> None:
    def make(folder: Path) -> None:
        (folder / "x").write_text("12345")

    from ledger.model.datasets import Preparation

    for key in ("a", "b"):
        cache.prepare(key, Preparation(step=key, code="blake3:0", sources=[], duration_seconds=0), make)
    one, two = cache.made()
    assert one.content == two.content
    maker = cache.maker_of(one.content)
    assert maker is not None
    assert maker.step == "b", "who made it last is named"
    assert cache.maker_of("blake3:0") is None
    assert cache.remove(one) == 0
    assert cache.content(two).is_dir()
    assert cache.remove(two) == 5
    assert not cache.content(two).exists()
    assert cache.remove(two) == 5, "whoever removes it again does no harm"


def test_a_step_of_another_key_in_its_file_is_not_taken_for_it(raw: Path, cache: Cache) -> None:
    fill(cache, raw, 1)
    (step,) = cache.made()
    file = cache.folder / "steps" / f"{step.key}.json"
    file.rename(file.with_name("other.json"))
    assert cache.find("other") is None
    assert cache.find(step.key) is None


def test_a_new_result_makes_room_for_itself_and_stays(raw: Path, cache: Cache) -> None:
    fill(cache, raw, 1)
    fill(cache, raw, 2)
    oldest, newest = cache.made()
    assert cache.shrink(10_000) == []
    assert cache.shrink(1_500, keep=oldest.key) == [newest]
    assert cache.shrink(0, keep=oldest.key) == []
    assert [one.key for one in cache.made()] == [oldest.key]
