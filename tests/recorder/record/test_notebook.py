"""What a record says of a notebook: order, edits, sources without secrets, and what equal executions share."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from ledger.capture.secrets.redactor import Redactor
from ledger.model.boxes.code import Code
from ledger.model.notebook import Notebook
from ledger.recorder.record.draft import Draft, ExecutedCell, NotebookCell, NotebookFile
from ledger.recorder.record.notebook import with_notebook
from ledger.session.notebook.cells import hash_source, make_cell
from ledger.store.branch.policy import Limits, Policy, Privacy

NOW = datetime(2026, 11, 20, tzinfo=UTC)
CODE = Code(commit="git:" + "1" * 40, identity="git:whole", beside_notebooks="git:files")
SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


def file_with(*sources: str, saved_at: float = 100.0, ids: bool = True) -> NotebookFile:
    cells = [
        NotebookCell(id=f"c{place}" if ids else None, hash=hash_source(source))
        for place, source in enumerate(sources, 1)
    ]
    return NotebookFile(path="train.ipynb", source="__session__", kernel="ipykernel 7", cells=cells, saved_at=saved_at)


def executed(*sources: str, at: float = 50.0, ids: Sequence[str] = ()) -> list[ExecutedCell]:
    made = [make_cell(number, source, at=at) for number, source in enumerate(sources, 1)]
    named = [*ids, *[None] * (len(made) - len(ids))]
    return [
        msgspec.structs.replace(cell, status="finished", seconds=0.5, cell=name)
        for cell, name in zip(made, named, strict=True)
    ]


def made(
    file: NotebookFile | None, cells: list[ExecutedCell], code: Code = CODE, policy: Policy | None = None
) -> tuple[Code, Notebook, str, Redactor]:
    draft = Draft(
        id="20261120-000000-abcdef",
        status="finished",
        experiment="x",
        started_at=NOW,
        ended_at=NOW,
        duration_seconds=1.0,
        notebook=file,
        cells=cells,
    )
    side: dict[str, bytes] = {}
    redactor = Redactor()
    box = with_notebook(code, draft, side, redactor, policy or Policy())
    assert box.notebook is not None
    return box, box.notebook, side["notebook.py"].decode(), redactor


def test_a_run_outside_of_a_notebook_keeps_its_code_as_it_is() -> None:
    draft = Draft(
        id="x", status="finished", experiment="x", started_at=NOW, ended_at=NOW, duration_seconds=1.0, cells=[]
    )
    assert with_notebook(CODE, draft, {}, Redactor(), Policy()) is CODE


def test_without_ids_cells_are_found_by_their_sources_in_order() -> None:
    file = file_with("a", "same", "b", "same", ids=False)
    _, notebook, _, _ = made(file, executed("a", "same", "b", "same"))
    assert [one.position for one in notebook.executions] == [1, 2, 3, 4]
    assert notebook.warnings() == []
    _, notebook, _, _ = made(file, executed("b", "a"))
    assert [(one.position, one.late) for one in notebook.executions] == [(3, False), (1, True)]


def test_a_cell_that_is_in_no_file_leaves_the_order_unknown() -> None:
    _, notebook, _, _ = made(file_with("a", "b", saved_at=10.0, ids=False), executed("a", "other"))
    assert notebook.executions[1].position is None
    assert "order" in notebook.unknown
    assert notebook.skipped is None
    assert notebook.executions[1].changed == "unsaved"


@pytest.mark.parametrize(("saved_at", "change"), [(100.0, "edited"), (10.0, "unsaved")])
def test_an_edit_is_certain_only_where_the_file_was_saved_since(saved_at: float, change: str) -> None:
    file = file_with("a", "b = 2", saved_at=saved_at)
    _, notebook, _, _ = made(file, executed("a", "b = 1", ids=["c1", "c2"]))
    assert [one.changed for one in notebook.executions] == [None, change]
    assert bool(notebook.warnings()) == (change == "edited")


def test_of_a_cell_that_ran_again_as_it_is_nothing_is_claimed() -> None:
    _, notebook, _, _ = made(file_with("a"), executed("a", "a", ids=["c1", "c1"]))
    assert [one.changed for one in notebook.executions] == [None, None]
    assert [one.late for one in notebook.executions] == [False, True]


def test_cells_above_that_never_ran_are_counted_but_not_blank_ones() -> None:
    _, notebook, _, _ = made(file_with("a", "b", " ", "c", "d"), executed("a", "c"))
    assert notebook.skipped == 1


def identity_of(*sources: str, code: Code = CODE) -> str | None:
    return made(None or file_with(*sources), executed(*sources), code)[0].identity


def test_what_was_executed_stands_for_notebook_files_in_the_identity() -> None:
    one = identity_of("lr = 0.1", "train(lr)")
    assert one == identity_of("lr = 0.1\n", "train(lr)  ")
    others = [
        identity_of("lr = 0.2", "train(lr)"),
        identity_of("train(lr)", "lr = 0.1"),
        identity_of("lr = 0.1", "train(lr)", "train(lr)"),
        identity_of("lr = 0.1", "train(lr)", code=msgspec.structs.replace(CODE, beside_notebooks="git:other")),
    ]
    assert None not in others
    assert one not in others
    assert len(set(others)) == len(others)


def test_our_own_magics_are_no_code() -> None:
    assert identity_of("x = 1", "train()") == identity_of(
        "%load_ext ledger", "%ledger list\n%ledger show x", "x = 1", "%%ledger_run digits -p lr=0.1 --seed 2\ntrain()"
    )


@pytest.mark.parametrize(
    ("sources", "code", "why"),
    [
        (["%run other.ipynb", "train()"], CODE, "another notebook"),
        (["import papermill", "train()"], CODE, "another notebook"),
        (["train()"], msgspec.structs.replace(CODE, beside_notebooks=None), "could not be read"),
        (["train()"], Code(unknown={"all": "the run was not in a git repository"}), "could not be read"),
    ],
)
def test_where_the_code_is_not_all_known_there_is_no_identity(sources: list[str], code: Code, why: str) -> None:
    box, _, _, _ = made(file_with(*sources), executed(*sources), code)
    assert box.identity is None
    assert why in box.unknown["identity"]
    assert "all" not in box.unknown, "the cells are known"


def test_a_gap_in_the_history_leaves_the_identity_unknown() -> None:
    box, _, _, _ = made(file_with("a", "b"), executed("a", "b")[1:])
    assert box.identity is None
    assert "In [1] is not known" in box.unknown["identity"]


def test_secrets_leave_neither_the_file_nor_the_hashes() -> None:
    sources = [f"token = '{SECRET}'", "x = 1"]
    _, notebook, text, redactor = made(file_with(*sources), executed(*sources))
    assert SECRET not in text
    assert redactor.counts
    assert not notebook.exact
    assert hash_source(sources[0]) not in {one.hash for one in notebook.executions}
    assert notebook.executions[1].hash == hash_source("x = 1")
    other = SECRET[:-4] + "Zz9Y"
    assert (
        made(file_with("a"), executed(sources[0]))[0].identity
        == made(file_with("a"), executed(f"token = '{other}'"))[0].identity
    )


def test_sources_are_bounded_each_and_in_all() -> None:
    limits = Limits(patch_file_bytes=100, patch_bytes=150)
    sources = ["x = '" + "é" * 200 + "'", "y = 1", "z = '" + "a" * 90 + "'"]
    cells = executed(*sources)
    _, notebook, text, _ = made(file_with(*sources), cells, policy=Policy(limits=limits))
    first, second, third = notebook.executions
    assert (first.left_out > 100, second.left_out, third.line) == (True, 0, None)
    assert len(text.encode()) < 2 * 150
    assert "\ufffd" not in text
    assert not notebook.exact
    long = executed("x = '" + "é" * 201 + "'", *sources[1:])
    assert made(file_with("a"), long, policy=Policy(limits=limits))[1].identity != notebook.identity, (
        "what was left out still counts"
    )


def test_very_many_executions_are_bounded_and_all_of_them_count() -> None:
    sources = [f"x = {number}" for number in range(600)]
    _, notebook, _, _ = made(file_with(*sources), executed(*sources))
    assert len(notebook.executions) == 500
    assert notebook.executions[-1].number == 600
    assert "the first 100" in notebook.unknown["executions"]
    _, other, _, _ = made(file_with(*sources), executed("x = 'other'", *sources[1:]))
    assert other.identity != notebook.identity


def test_paths_of_the_home_folder_are_left_out_where_the_policy_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    cells = executed("open('/home/ada/data.csv')")
    _, notebook, text, _ = made(file_with("a"), cells, policy=Policy(privacy=Privacy(home=True)))
    assert "~/data.csv" in text
    assert "/home/ada" not in text
    assert not notebook.exact


def test_each_source_stands_once_at_its_line() -> None:
    sources = ["a = 1\nb = 2", "%%bash\n# %% not a cell of ours\ndate", "a = 1\nb = 2"]
    _, notebook, text, _ = made(file_with(*sources), executed(*sources))
    lines = text.split("\n")
    for one, source in zip(notebook.executions, sources, strict=True):
        assert one.line is not None
        assert "\n".join(lines[one.line - 1 : one.line - 1 + one.lines]) == source
    assert text.count("a = 1") == 1
