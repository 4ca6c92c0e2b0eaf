import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from ledger.analysis.comparing.comparable import agreed_direction, counts, group_of
from ledger.analysis.comparing.leaderboard import (
    Score,
    SettingBoard,
    in_order,
    latest_metrics,
    setting_board,
    short_key,
)
from ledger.analysis.comparing.report import Report
from ledger.errors import NotFound
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.entries import Contents, StoredRun
from ledger.model.values import ParamValue, number
from ledger.publish.report.report import KINDS, choose_boards, make_report
from tests.sample_boxes import START
from tests.sample_runs import HOSTILE, Blobs, sample_run
from tests.samples import sample_ledger, sample_reader

KEY = "validation/accuracy"


def boards_of(runs: Sequence[StoredRun], key: str = KEY) -> list[SettingBoard]:
    """Return the boards of runs, as the index makes them."""
    metrics: dict[GroupId, list[tuple[StoredRun, Metric]]] = {}
    for run in runs:
        for named, metric in latest_metrics(run).items():
            if metric.key == key and counts(run):
                metrics.setdefault(named, []).append((run, metric))
    return in_order(
        setting_board(
            group_of(members[0][1]),
            agreed_direction(metric for _, metric in members),
            [Score(run=run.record.id, setting=short_key(run), value=metric.number) for run, metric in members],
        )
        for members in metrics.values()
    )


def report_of(runs: Sequence[StoredRun], blobs: Blobs, **asked: object) -> tuple[Report, dict[str, bytes]]:
    boards = choose_boards(boards_of(runs))
    return make_report(boards, {run.record.id: run for run in runs}, sample_reader(blobs), **asked)  # type: ignore[arg-type]  # as given


def repeats(
    blobs: Blobs, settings: int, seeds: int = 2, change: Callable[[int, dict[str, ParamValue]], None] | None = None
) -> list[StoredRun]:
    """Return runs of many settings."""
    runs: list[StoredRun] = []
    for setting in range(settings):
        for seed in range(seeds):
            params: dict[str, ParamValue] = {"width": setting + 1, "seed": seed}
            if change:
                change(setting, params)
            at = START + timedelta(minutes=len(runs))
            value = 0.5 + 0.4 * setting / max(settings, 2) + 0.013 * seed
            runs.append(sample_run(blobs, len(runs), experiment="sweep", params=params, accuracy=value, started=at))
    return runs


def with_value(run: StoredRun, value: float) -> StoredRun:
    results = run.record.results
    metrics = [msgspec.structs.replace(one, value=number(value)) if one.key == KEY else one for one in results.metrics]
    record = msgspec.structs.replace(run.record, results=msgspec.structs.replace(results, metrics=metrics))
    return msgspec.structs.replace(run, record=record)


@pytest.fixture(scope="module")
def study() -> tuple[list[StoredRun], Blobs, Report, dict[str, bytes]]:
    blobs: Blobs = {}
    runs = repeats(blobs, 5)
    return runs, blobs, *report_of(runs, blobs, about="sweep")


def test_a_report_has_a_table_and_figures_in_every_format(
    study: tuple[list[StoredRun], Blobs, Report, dict[str, bytes]],
) -> None:
    _, _, report, files = study
    assert {figure.name.partition("-")[0] for figure in report.figures} == {"curves", "forest", "history", "pareto"}
    assert [one.figure.partition(" ")[0] for one in report.left_out] == ["growth"]
    assert set(files) == {*report.files, "report.json"}
    for name, data in files.items():
        start = {"pdf": b"%PDF", "svg": b"<?xml", "png": b"\x89PNG"}.get(name.rpartition(".")[2], b"")
        assert data.startswith(start)
        assert len(data) < 500_000, name


def test_bold_are_those_that_the_board_stars_and_no_others(
    study: tuple[list[StoredRun], Blobs, Report, dict[str, bytes]],
) -> None:
    runs, _, report, files = study
    board = boards_of(runs)[0]
    assert 0 < board.leading < len(board.places)
    latex = files[f"table-{report.tables[0].name}.tex"].decode()
    rows = re.findall(r"^    (\\textbf\{)?width=(\d+).*\n    % runs: (.*)$", latex, re.MULTILINE)
    assert [(bool(bold), tuple(ids.split())) for bold, _, ids in rows] == [
        (place.leading, place.runs) for place in board.places
    ]
    assert latex.count("\\textbf{") == 2 * board.leading


def test_every_number_has_its_runs(study: tuple[list[StoredRun], Blobs, Report, dict[str, bytes]]) -> None:
    runs, _, report, files = study
    values = {run.record.id: metric.number for run in runs if (metric := run.record.metric(KEY))}
    page = files["report.md"].decode()
    for row in report.tables[0].rows:
        assert row.mean == pytest.approx(sum(values[run] for run in row.runs) / row.n)
        assert len(row.runs) == row.n == 2
        assert row.interval is not None
        assert row.mean is not None
        assert row.interval[0] < row.mean < row.interval[1]
        assert all(f"`{run}`" in page for run in row.runs)
    assert msgspec.json.decode(files["report.json"], type=Report) == report


def test_an_svg_holds_its_text_and_a_pdf_its_font(
    study: tuple[list[StoredRun], Blobs, Report, dict[str, bytes]],
) -> None:
    _, _, report, files = study
    forest = next(figure for figure in report.figures if figure.name.startswith("forest"))
    svg = files[f"{forest.name}.svg"].decode()
    assert all(f">{row.setting}<" in svg for row in report.tables[0].rows)
    assert "<dc:date>" not in svg
    pdf = files[f"{forest.name}.pdf"]
    assert b"/FontFile2" in pdf
    assert b"/CreationDate" not in pdf


SCRIPT = """
import hashlib
from tests.publish.report.test_report import repeats, report_of
blobs = {}
_, files = report_of(repeats(blobs, 3), blobs)
print(hashlib.sha256(b"".join(name.encode() + data for name, data in sorted(files.items()))).hexdigest())
"""


def test_the_same_runs_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    (tmp_path / "matplotlibrc").write_text("font.size: 40\naxes.grid: False\n")
    hashes = set()
    for seed, rc in (("1", ""), ("2", str(tmp_path / "matplotlibrc"))):
        world = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)} | ({"MATPLOTLIBRC": rc} if rc else {})
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=world, capture_output=True, text=True, check=True, cwd=root
        )
        hashes.add(done.stdout.strip())
    assert len(hashes) == 1
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes)


def test_of_many_settings_the_best_twenty_are_shown_and_the_others_counted() -> None:
    blobs: Blobs = {}
    report, files = report_of(repeats(blobs, 30, seeds=1), blobs, formats=["svg"], figures=["forest"])
    table = report.tables[0]
    assert len(table.rows) == 30
    forest = report.figures[0]
    svg = files[forest.files[0]].decode()
    assert "10 more in report.json" in forest.caption
    assert all((f">{row.setting}<" in svg) == (at < 20) for at, row in enumerate(table.rows))
    assert files[f"table-{table.name}.md"].decode().count("| `") == 20
    assert all(row.interval is None for row in table.rows)
    assert "No intervals" in forest.caption


def test_one_setting_has_figures_of_its_own() -> None:
    blobs: Blobs = {}
    report, files = report_of(repeats(blobs, 1, seeds=3), blobs, formats=["svg"])
    row = report.tables[0].rows[0]
    assert row.setting == "sweep"
    # 0.5, 0.513 and 0.526: the quantile of t for two degrees of freedom is 4.30265 (Fisher and Yates, table III).
    assert row.interval == pytest.approx((0.513 - 4.30265 * 0.013 / 3**0.5, 0.513 + 4.30265 * 0.013 / 3**0.5))
    assert {figure.name.partition("-")[0] for figure in report.figures} == {"curves", "forest", "history"}
    left = {one.figure.partition(" ")[0]: one.why for one in report.left_out}
    assert left["pareto"] == "no two settings have a different cost, latency, size or duration"
    assert "None is marked as best: there is only one setting" in files[f"table-{report.tables[0].name}.tex"].decode()


def test_values_that_no_axis_can_show_are_left_out_and_said() -> None:
    blobs: Blobs = {}
    runs = repeats(blobs, 6, seeds=1)
    strange = (float("nan"), float("inf"), 1e300, -1e-300)
    runs = [*(with_value(run, value) for run, value in zip(runs, strange, strict=False)), *runs[4:]]
    report, files = report_of(runs, blobs, formats=["svg", "png", "pdf"])
    forest = next(figure for figure in report.figures if figure.name.startswith("forest"))
    assert "Without a value that can be drawn: 2 of 4 settings" in forest.caption
    assert {one.why for one in report.tables[0].withdrawn} == {"outside of the range"}
    assert "no number" in files["report.md"].decode()


@pytest.mark.filterwarnings("error")
def test_hostile_names_are_text_everywhere() -> None:
    names = [HOSTILE, "_hidden", "$x^2$ \\input{/etc/passwd}", "名前 🦊" * 30, "a|b\n# c", "%s {0}"]

    def rename(setting: int, params: dict[str, ParamValue]) -> None:
        params["name"] = names[setting]

    blobs: Blobs = {}
    report, files = report_of(repeats(blobs, len(names), change=rename), blobs, about=HOSTILE)
    for name, data in files.items():
        if name.endswith(("svg", "md")):
            assert b"<script" not in data.replace(b"\\<", b"")
        if name.endswith("tex"):
            assert rb"\input" not in data
            assert rb"\textbackslash{}input\{" in data
    assert "\x1b" not in files["report.md"].decode()
    assert len(report.figures) >= 4


def test_groups_are_never_mixed() -> None:
    contents, blobs = sample_ledger()
    report, files = report_of(contents.runs, blobs, formats=["svg"])
    assert len(report.tables) > 1
    assert len({table.group.id for table in report.tables}) == len({table.name for table in report.tables})
    for table in report.tables:
        ids = {run for row in table.rows for run in row.runs}
        forest = next(figure for figure in report.figures if figure.name == f"forest-{table.name}")
        assert set(forest.runs) <= ids
    assert "ways that cannot be compared" in files["report.md"].decode()


def test_runs_that_share_no_group_are_refused_with_the_mend(ledger: tuple[Contents, Blobs]) -> None:
    contents, _ = ledger
    boards = boards_of(contents.runs)
    alone = [msgspec.structs.replace(board, runs=1) for board in boards if board.group.known]
    assert len(alone) > 1
    with pytest.raises(NotFound, match="no two of these runs may be compared") as caught:
        choose_boards(alone)
    assert (caught.value.hint or "").startswith("ledger reevaluate ")
    unknown = [msgspec.structs.replace(b, group=msgspec.structs.replace(b.group, dataset_hash="")) for b in boards]
    with pytest.raises(NotFound, match="known dataset version"):
        choose_boards(unknown)


def test_every_kind_can_be_left_away(ledger: tuple[Contents, Blobs]) -> None:
    contents, blobs = ledger
    report, files = report_of(contents.runs, blobs, figures=[])
    assert not report.figures
    assert not report.left_out
    assert not [name for name in files if name.endswith((".svg", ".png", ".pdf"))]
    assert KINDS == ("curves", "forest", "pareto", "growth", "history")
