"""Tables on the page of a run: what a reader sees of each kind, and that nothing of it is markup or unbounded."""

import re
from datetime import timedelta

import msgspec
import pytest

from ledger.analysis.data.prediction_statistics import calibration_error
from ledger.model.boxes.outputs import Table
from ledger.model.entries import StoredRun
from ledger.model.tables import LAYER_COLUMNS, Cells
from ledger.model.values import TableKind
from ledger.publish.charts.reliability import render_reliability
from ledger.publish.pages.experiment_pages import render_experiment
from ledger.publish.pages.parts.table_views import TableView, tables_of
from ledger.publish.pages.run_page import render_run
from ledger.publish.site.site_data import survey
from tests.sample_tables import Named, hostile_tables, sample_tables, with_tables
from tests.samples import START, Blobs, sample_ledger, sample_reader, sample_run


def shown(tables: list[Named]) -> tuple[str, list[TableView]]:
    """Return the page of a run with these tables, and what stands in them."""
    contents, blobs = sample_ledger()
    first = contents.runs[0]
    run = with_tables(blobs, first, tables)
    contents = msgspec.structs.replace(contents, runs=(run, *contents.runs[1:]))
    reader = sample_reader(blobs)
    return render_run(run, survey(contents, [], None), reader)[0].content, tables_of(run, reader)


def one(kind: TableKind, columns: list[str], rows: list[list[str]]) -> tuple[str, TableView]:
    page, (view,) = shown([("mine", kind, Cells(columns=columns, rows=rows))])
    return page, view


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_a_confusion_matrix_is_shaded_by_the_share_of_its_row() -> None:
    page, view = one("confusion", ["truth", "cat", "dog"], [["cat", "9", "1"], ["dog", "3", "0"]])
    assert [row.cells for row in view.matrix] == [
        [(9, "lg-hit3"), (1, "lg-miss2")],
        [(3, "lg-miss4"), (0, "")],
    ]
    assert '<th scope="row" title="cat">cat</th><td class="lg-hit3">9</td><td class="lg-miss2">1</td>' in page
    assert '<th scope="col" class="lg-right">dog</th>' in page
    assert "cat 9 1 10 dog 3 · 3" in text_of(page)


def test_a_thousand_classes_are_the_pairs_confused_most_and_no_matrix() -> None:
    labels = [f"class {number}" for number in range(1000)]
    rows = [[label, *("0" if other != number else "5" for other in range(1000))] for number, label in enumerate(labels)]
    rows[3][8] = "40"
    page, view = one("confusion", ["truth", *labels], rows)
    assert view.matrix == []
    (pair,) = view.pairs
    assert (pair.truth, pair.predicted, pair.count, pair.share) == ("class 3", "class 7", 40, 40 / 45)
    assert "1000 classes are too many for a matrix" in page
    assert len(page) < 200_000


def test_classes_have_bars_and_what_cannot_be_said_is_no_zero() -> None:
    page, view = one("classes", ["class", "precision", "recall", "f1", "support"], [["cat", "", "0.5", "0.6", "4"]])
    assert view.classes[0].scores == [None, 0.5, 0.6, 4.0]
    assert '<meter min="0" max="1" value="0.5" aria-label="recall"></meter>' in page
    assert "nothing to divide by" in page


def test_of_many_classes_the_worst_are_shown() -> None:
    rows = [[f"c{number}", "0.5", "0.5", str(number / 100), "4"] for number in range(80, 0, -1)]
    page, view = one("classes", ["class", "precision", "recall", "f1", "support"], rows)
    assert [row.label for row in view.classes[:2]] == ["c1", "c2"]
    assert len(view.classes) == 50
    assert "the 50 of 80 classes with the lowest F1" in page
    assert "git show ledger:" in page


def test_slices_stand_worst_first_with_the_interval_of_a_share() -> None:
    rows = [["day", "0.9", "100"], ["night", "0.5", "4"]]
    page, view = one("slices", ["slice", "accuracy", "samples"], rows)
    assert [row.name for row in view.slices] == ["night", "day"]
    low, high = view.slices[0].interval or (0, 0)
    assert (low, high) == pytest.approx((0.1500, 0.8500), abs=1e-4)  # Wilson's, for 2 of 4
    assert text_of(page).count("0.15 to 0.85") == 1


def test_slices_of_a_loss_stand_largest_first_and_have_no_interval() -> None:
    contents, blobs = sample_ledger()
    cells = Cells(columns=["slice", "loss", "samples"], rows=[["a", "0.31", "7"], ["b", "2.5", "7"]])
    run = with_tables(blobs, contents.runs[0], [("x", "slices", cells)])
    table = msgspec.structs.replace(run.record.statistics.tables[0], metric=None)
    (view,) = tables_of(_with_table(run, table), sample_reader(blobs))
    assert [(row.name, row.interval) for row in view.slices] == [("b", None), ("a", None)]


def test_a_slice_of_unknown_direction_keeps_its_place() -> None:
    contents, blobs = sample_ledger()
    cells = Cells(columns=["slice", "oddity", "samples"], rows=[["b", "2.5", "7"], ["a", "0.31", "7"]])
    run = with_tables(blobs, contents.runs[0], [("x", "slices", cells)])
    table = msgspec.structs.replace(run.record.statistics.tables[0], metric=None)
    (view,) = tables_of(_with_table(run, table), sample_reader(blobs))
    assert [row.name for row in view.slices] == ["b", "a"]


def test_calibration_is_a_diagram_with_its_error_and_its_bins() -> None:
    page, view = one("calibration", ["confidence", "accuracy", "samples"], [["0.9", "0.7", "30"], ["0.5", "0.5", "10"]])
    assert view.error == pytest.approx(0.15)
    assert view.error == calibration_error(view.bins)
    assert page.count('<circle class="lg-dot lg-c0"') == 2
    assert "Accuracy by confidence, 40 samples in 2 bins" in page
    assert "Expected calibration error 0.15" in text_of(page)
    assert "confidence 0.9, accuracy 0.7, 30 samples" in page
    assert render_reliability([]) == ""


def test_a_name_that_ends_with_its_metric_says_it_once() -> None:
    page, _ = shown([("confusion validation/accuracy", "confusion", Cells(columns=["truth", "a"], rows=[["a", "1"]]))])
    assert "<h3>confusion <small>validation/accuracy on digits-validation@v1</small></h3>" in page


def test_samples_are_counted_and_not_shown() -> None:
    rows = [[f"image-{number}", "1"] for number in range(300)]
    page, view = one("samples", ["sample", "value"], rows)
    assert (view.rows, view.problem) == ([], "")
    assert "300 samples, a value each" in page
    assert "image-7" not in page


def test_a_large_table_shows_its_start_and_where_the_rest_is() -> None:
    columns = [f"column {number}" for number in range(40)]
    page, view = one("table", columns, [[f"cell {row}"] * 40 for row in range(90)])
    assert (len(view.rows), len(view.columns)) == (50, 30)
    assert "50 of 90 rows, 30 of 40 columns" in page
    assert "cell 49" in page
    assert "cell 50" not in page
    assert re.search(r"<code>git show ledger:runs/\d{4}/\d\d/\d\d/[0-9a-z-]+/tables/0-table\.csv</code>", page)


def test_a_fraction_in_a_plain_table_is_short_and_an_id_stays_as_it_was_written() -> None:
    html, _ = one("table", ["id", "confidence"], [["00731", "0.98765432109876543"], ["12345678901", "NaN"]])
    assert "id confidence 00731 0.98765 12345678901 NaN" in text_of(html)
    assert 'title="0.9876543210987654"' in html


def test_nothing_in_a_hostile_table_is_markup() -> None:
    page, views = shown(hostile_tables())
    assert "<script" not in page
    assert "style=" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert [bool(view.problem) for view in views] == [False] * 7 + [True]
    assert page.count("This table cannot be shown") == 1


def test_a_missing_file_and_a_file_of_another_kind_are_said_and_break_nothing() -> None:
    contents, blobs = sample_ledger()
    run = with_tables(blobs, contents.runs[0], sample_tables())
    named = run.record.statistics.tables[0]
    gone = msgspec.structs.replace(named, file="tables/gone.csv")
    other = msgspec.structs.replace(named, kind="classes")
    elsewhere = msgspec.structs.replace(named, file="record.json")
    views = tables_of(_with_table(run, gone, other, elsewhere), sample_reader(blobs))
    assert [view.problem[:30] for view in views[:1]] == ["its file is missing from the l"]
    assert "begins with the columns class" in views[1].problem
    assert views[2].problem
    assert views[2].command == ""


def test_a_command_to_paste_never_holds_what_a_record_wrote_there() -> None:
    contents, blobs = sample_ledger()
    run = with_tables(blobs, contents.runs[0], sample_tables())
    evil = "tables/x.csv; rm -rf ~"
    files = {**run.files, evil: run.files["tables/0-confusion.csv"]}
    table = msgspec.structs.replace(run.record.statistics.tables[0], file=evil)
    (view,) = tables_of(msgspec.structs.replace(_with_table(run, table), files=files), sample_reader(blobs))
    assert view.matrix
    assert view.command == ""


def test_thousands_of_tables_are_not_all_drawn() -> None:
    contents, blobs = sample_ledger()
    run = with_tables(blobs, contents.runs[0], sample_tables())
    table = run.record.statistics.tables[0]
    assert len(tables_of(_with_table(run, *[table] * 3000), sample_reader(blobs))) == 50


def test_a_setting_of_four_seeds_shows_median_and_quartiles() -> None:
    blobs: Blobs = {}
    runs = tuple(
        sample_run(
            blobs, index, experiment="seeds", params={"lr": 0.1, "seed": index}, accuracy=accuracy,
            started=START + timedelta(hours=index),
        )
        for index, accuracy in enumerate((0.91, 0.99, 0.93, 0.95))
    )  # fmt: skip
    atlas = survey(msgspec.structs.replace(sample_ledger()[0], runs=runs), [], None)
    text = text_of(render_experiment("seeds", atlas, sample_reader(blobs)).content)
    assert "mean of 4 · 0.91 to 0.99 median 0.94 · middle half 0.925 to 0.96" in text


def _with_table(run: StoredRun, *tables: Table) -> StoredRun:
    statistics = msgspec.structs.replace(run.record.statistics, tables=list(tables))
    return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, statistics=statistics))


def test_layers_are_indented_and_the_failing_one_is_marked() -> None:
    rows = [
        ["(model)", "Net", "(2, 8)", "", "1", "0", "", "failed inside"],
        ["body", "Sequential", "(2, 8)", "(2, 16)", "1", "0", "512", ""],
        ["body.0", "Linear", "(2, 8)", "(2, 16)", "3", "144", "512", ""],
        ["head", "Linear", "(2, 16)", "", "1", "48", "256", "failed here"],
    ]
    page, view = one("layers", list(LAYER_COLUMNS), rows)
    assert [(row.depth, row.parameters_share, row.flops_share) for row in view.layers] == [
        (0, 0, None),
        (1, 0, 1),
        (2, 0.75, 1),
        (1, 0.25, 0.5),
    ]
    assert '<tr class="lg-failing"><th scope="row" class="lg-in1" title="head">head <span class="lg-tag">' in page
    assert '<th scope="row" class="lg-in2" title="body.0">0 <small>3 calls</small></th>' in page
    assert '<meter min="0" max="1" value="0.75" aria-label="share of the parameters"></meter>' in page
    assert "(model) failed inside Net (2, 8) none 0 unknown" in text_of(page)


def test_of_many_layers_the_first_are_shown_and_the_one_that_failed() -> None:
    rows = [[f"l{number}", "Linear", "(1)", "(1)", "1", "1", "1", ""] for number in range(300)]
    rows[-1][3], rows[-1][-1] = "", "failed here"
    page, view = one("layers", list(LAYER_COLUMNS), rows)
    assert (len(view.layers), view.layers[-1].name) == (201, "l299")
    assert "201 of 300 layers" in page
    assert '<details class="lg-fold" open><summary>201 layers</summary>' in page
    assert "FLOPs are unknown" not in page
