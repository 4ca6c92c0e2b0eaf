"""The notebook of a run on its page and in `ledger show`; nothing of it is markup, and its size is bounded."""

import re

import msgspec

from ledger.commands.reading.notebook_lines import notebook_lines
from ledger.model.entries import StoredRun
from ledger.model.notebook import CellExecution, Notebook
from ledger.publish.pages.parts.code_view import CELLS_SHOWN, LINES_SHOWN, load_cells
from ledger.publish.pages.run_page import render_run
from ledger.publish.site.site_data import survey
from tests.sample_runs import HOSTILE, blob_id
from tests.samples import sample_ledger, sample_reader

SOURCES = "# %% In [1]\nlr = 0.1\n\n# %% In [2]\n%%bash\necho HERE\n"


def cell(number: int, line: int | None, lines: int = 1, **more: object) -> CellExecution:
    return msgspec.convert(
        {"number": number, "hash": "blake3:" + "0" * 64, "line": line, "lines": lines, **more}, CellExecution
    )


NOTEBOOK = Notebook(
    path="train.ipynb",
    source="__session__",
    kernel="ipykernel 7.4",
    command=["jupyter", "execute", "train.ipynb"],
    hash="blake3:" + "0" * 64,
    bytes=len(SOURCES),
    executions=[
        cell(1, 2, before=True, position=2, seconds=0.5, status="finished", changed="edited"),
        cell(2, 5, 2, position=1, late=True, status="failed", reason="ValueError: no data", changed="unsaved"),
        cell(3, None, 7, left_out=99),
    ],
    skipped=1,
    unknown={"seconds": "some ran before they were watched"},
)


def page_of(notebook: Notebook, sources: str = SOURCES) -> str:
    contents, blobs = sample_ledger()
    run: StoredRun = contents.runs[0]
    blobs[blob_id(sources.encode())] = sources.encode()
    code = msgspec.structs.replace(run.record.code, notebook=notebook)
    record = msgspec.structs.replace(run.record, code=code)
    run = msgspec.structs.replace(run, record=record, files={**run.files, "notebook.py": blob_id(sources.encode())})
    contents = msgspec.structs.replace(contents, runs=(run, *contents.runs[1:]))
    return render_run(run, survey(contents, [], None), sample_reader(blobs))[0].content


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_a_page_has_the_executed_cells_in_order_folded_and_what_is_wrong_with_them() -> None:
    html = page_of(NOTEBOOK)
    section = html[html.index('id="notebook"') :]
    text = text_of(section)
    assert "In [2] ran out of order" in text
    assert "In [1] ran with a source that was edited afterwards" in text
    assert "1 cell above an executed one never ran" in text
    assert "jupyter execute train.ipynb" in text
    assert text.index("In [1] cell 2 · before the run") < text.index("In [2] cell 1") < text.index("In [3]")
    assert "ValueError: no data" in text
    assert "the file differs, not saved since" in text
    assert "7 more lines are not shown. 99 characters at its end were not kept." in text
    assert "<details open" not in section[: section.index("</section>")]
    assert "echo HERE" in text


def test_nothing_of_a_notebook_is_markup() -> None:
    hostile = msgspec.structs.replace(
        NOTEBOOK,
        path=f"{HOSTILE}.ipynb",
        source=HOSTILE,
        kernel=HOSTILE,
        command=[HOSTILE],
        unknown={HOSTILE: HOSTILE},
        executions=[msgspec.structs.replace(NOTEBOOK.executions[1], reason=HOSTILE)],
    )
    assert "<script>alert" not in page_of(hostile, SOURCES.replace("HERE", HOSTILE))


def test_lines_that_a_record_only_claims_are_shown_as_missing() -> None:
    notebook = msgspec.structs.replace(NOTEBOOK, executions=[cell(1, 99, 5), cell(2, -7, 3), cell(3, 1, 10**9)])
    views = load_cells(notebook, SOURCES.encode())
    assert [view.left_out >= 0 for view in views] == [True] * 3
    assert views[0].html == ""
    assert load_cells(notebook, b"")[2].html.strip() == ""


def test_very_many_cells_have_a_bounded_page() -> None:
    sources = "x = 1\n" * 5_000
    many = [cell(number, 1, 5_000) for number in range(1, 3_000)]
    views = load_cells(msgspec.structs.replace(NOTEBOOK, executions=many), sources.encode())
    assert len(views) == CELLS_SHOWN
    assert sum(5_000 - view.left_out for view in views) == LINES_SHOWN
    assert sum(view.html.count("\n") for view in views) <= LINES_SHOWN


def test_show_says_the_same_in_short() -> None:
    lines = list(notebook_lines(NOTEBOOK))
    said = dict(lines)
    assert said["notebook"] == "train.ipynb (stated by __session__), executed by ipykernel 7.4"
    assert said["would run it"] == "jupyter execute train.ipynb (derived)"
    assert said["In [1]"] == "cell 2: 1 line, before the run, 0.5 s, edited afterwards"
    assert "failed, ValueError: no data, out of order" in said["In [2]"]
    assert [value for name, value in lines if name == "warning"] == NOTEBOOK.warnings()
    assert said["seconds of cells unknown"] == "some ran before they were watched"
    many = msgspec.structs.replace(NOTEBOOK, path=None, executions=[cell(number, 1) for number in range(1, 100)])
    short = dict(notebook_lines(many))
    assert "In [99]" in short
    assert "In [1]" not in short
    assert short["earlier cells"] == "87, in the record"
    assert short["notebook"].startswith("unknown: ")
