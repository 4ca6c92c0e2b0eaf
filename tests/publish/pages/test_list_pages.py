"""Lists of what runs share, and what a record lacks to be run again."""

import msgspec
import pytest

from ledger.analysis.advice.rerun import lacks_of
from ledger.model.boxes.code import Code, OmittedFile, Patch
from ledger.model.boxes.inputs import Datasets, DatasetUse, Params
from ledger.model.boxes.machine import Environment
from ledger.model.boxes.outputs import Logs, Model
from ledger.model.entries import Contents, StoredRun
from ledger.model.record import Author, Record
from ledger.publish.pages.dataset_pages import render_datasets
from ledger.publish.pages.list_pages import ROWS, render_lists
from ledger.publish.site.site_data import survey
from tests.minimal import minimal_record
from tests.publish.pages.test_pages import Page
from tests.samples import sample_ledger

CUT = Patch(hash="h", bytes=1, files=1, added=1, removed=0, exact=False)
WHOLE = minimal_record(
    id="20261120-194812-abcdef",
    code=Code(commit="git:" + "a" * 40, dirty=False, pushed=True),
    command=["python", "train.py"],
    seed=1,
    params=Params(values={"lr": 0.1}),
    datasets=Datasets(used=[DatasetUse(role="train", split="train", name="d", version="v1", hash="blake3:1")]),
    environment=Environment(python="CPython 3.11", packages=3, hash="blake3:2"),
)


def changed(record: Record = WHOLE, **values: object) -> Record:
    return msgspec.structs.replace(record, **values)


def pages_of(*runs: StoredRun) -> dict[str, Page]:
    atlas = survey(Contents(tip="1" * 40, runs=runs), [], None)
    return {page.title: Page(page.content) for page in render_lists(atlas)}


def stored(record: Record, at: int = 0) -> StoredRun:
    return StoredRun(record=changed(record, id=f"20261120-1948{at:02}-abcdef"), path="runs/x", files={})


def test_a_whole_record_lacks_nothing() -> None:
    assert lacks_of(WHOLE) == []


@pytest.mark.parametrize(
    ("record", "box", "what", "effect"),
    [
        (changed(code=Code()), "code", "no commit is known", "blocks"),
        (
            changed(code=Code(commit="git:1", dirty=True, pushed=True)),
            "code", "the uncommitted changes were not kept", "blocks",
        ),
        (
            changed(code=Code(commit="git:1", dirty=True, pushed=True, patch=CUT)),
            "code", "the patch is not exact", "blocks",
        ),
        (
            changed(code=Code(commit="git:1", dirty=True, pushed=True, omitted=[OmittedFile(path="a.py", bytes=9)])),
            "code", "changed files were left out", "blocks",
        ),
        (
            changed(code=Code(commit="git:1", dirty=False, pushed=False)),
            "code", "no remote branch has the commit", "elsewhere",
        ),
        (changed(command=[]), "params", "the command is unknown", "blocks"),
        (changed(redactions={"token": 1}), "params", "secrets were redacted", "blocks"),
        (changed(seed=None), "params", "no seed is known", "differs"),
        (changed(datasets=Datasets()), "datasets", "no dataset was named", "blocks"),
        (
            changed(datasets=Datasets(used=[DatasetUse(role="train", split="train", name="d")])),
            "datasets", "the content of a dataset is unknown", "blocks",
        ),
        (changed(environment=Environment(python="3.11")), "environment", "the packages are unknown", "blocks"),
    ],
)  # fmt: skip
def test_each_thing_that_is_missing_is_named_with_its_box(record: Record, box: str, what: str, effect: str) -> None:
    (lack,) = lacks_of(record)
    assert (lack.box, lack.effect) == (box, effect)
    assert lack.what.startswith(what)


def test_lists_count_what_runs_share() -> None:
    ada, bob = Author(name="Ada <b>", email="ada@example.org"), Author(name="Bob", email="bob@example.org")
    logs = Logs(warnings={"loss is NaN": 3}, errors={"out of memory": 1})
    runs = [
        stored(changed(author=ada, tags=["wide"], logs=logs), 1),
        stored(changed(author=ada, tags=["wide", "deep"], logs=Logs(warnings={"loss is NaN": 2})), 2),
        stored(changed(author=bob, seed=None), 3),
    ]
    pages = pages_of(*runs)
    assert "Ada <b> 2 2 finished" in pages["People"].text
    assert any("author=Ada%20%3Cb%3E" in str(attributes.get("href")) for _, attributes in pages["People"].tags)
    assert pages["Tags"].text.index("wide 2") < pages["Tags"].text.index("deep 1")
    assert "loss is NaN warning 2 runs 5" in pages["Warnings"].text
    assert "out of memory error 1 run 1" in pages["Warnings"].text
    assert "3 of 3 records have what it takes" in pages["Reproducibility"].text
    assert "no seed is known params may come out another 1" in pages["Reproducibility"].text


def test_the_ten_boxes_are_shown_by_experiment_as_the_share_that_lacks_nothing() -> None:
    half = changed(code=Code(unknown={"all": "there is no repository"}), experiment="half")
    whole = changed(code=Code(commit="git:1", dirty=False, pushed=True), experiment="half")
    page = pages_of(stored(half, 1), stored(whole, 2))["Reproducibility"]
    cells = [attributes["class"] or "" for tag, attributes in page.tags if tag == "td" and "heat" in str(attributes)]
    assert len(cells) == 10
    assert "lg-heat2" in cells[0], "half of the runs know their code"
    assert "half 2 50 %" in page.text
    part = changed(code=Code(commit="git:1", unknown={"remote": "there is none"}))
    page = pages_of(stored(part))["Reproducibility"]
    assert "1 in part 100 %" in page.text.partition("The ten boxes")[2]


def test_an_empty_ledger_has_every_list_and_each_says_so() -> None:
    pages = pages_of()
    assert set(pages) == {"More", "People", "Tags", "Models", "Warnings", "Reproducibility"}
    assert all("<table" not in str(page.tags) for page in pages.values())
    assert "No run kept a model" in pages["Models"].text


def test_a_list_of_thousands_is_bounded_and_counts_the_rest() -> None:
    logs = Logs(warnings={f"warning number {at}": 1 for at in range(ROWS + 7)})
    page = pages_of(stored(changed(logs=logs)))["Warnings"]
    assert sum(tag == "tr" for tag, _ in page.tags) == ROWS + 1
    assert "7 more are not shown" in page.text


def test_models_beyond_those_that_are_shown_are_a_click_away() -> None:
    ids = [f"20261120-19{at // 60:02}{at % 60:02}-abcdef" for at in range(ROWS + 2)]
    runs = [StoredRun(record=changed(id=one, model=Model(hash="blake3:1")), path="runs/x", files={}) for one in ids]
    pages = pages_of(*runs)
    assert "2 more are not shown: the table of runs has all" in pages["Models"].text
    assert "../runs/index.html" in pages["Models"].attributes("a", "href")


def test_the_sample_ledger_has_models_with_what_they_measured() -> None:
    text = pages_of(*sample_ledger()[0].runs)["Models"].text
    assert "37 194" in text
    assert "validation/accuracy" in text


def test_versions_that_only_runs_name_are_listed_with_the_command_that_adds_them() -> None:
    used = [
        DatasetUse(role="validation", split="validation", name="<b>", version="v1", hash="blake3:" + "a" * 64),
        DatasetUse(role="train", split="train", path="/somewhere"),
    ]
    both = [stored(changed(datasets=Datasets(used=used)), at) for at in range(2)]
    later = stored(changed(datasets=Datasets(used=[DatasetUse(role="test", split="test", name="d", version="v9")])), 2)
    contents = Contents(tip="1" * 40, runs=(*both, later))
    content = render_datasets(survey(contents, [], None)).content
    text = Page(content).text
    assert "No dataset version has been recorded" not in text
    assert "<b>@v1 validation blake3:aaaaaaaaaaaa 2 runs" in text, "as text, in the order of how many name it"
    assert text.index("<b>@v1") < text.index("d@v9 test unknown 1 run")
    assert "ledger dataset add NAME PATH" in text
    assert "somewhere" not in text, "what has no name cannot be added under one"


def test_a_version_that_was_added_is_not_listed_again_as_one_that_runs_name() -> None:
    contents, _ = sample_ledger()
    assert "Named by runs only" not in Page(render_datasets(survey(contents, [], None)).content).text
    text = Page(render_datasets(survey(Contents(tip="1" * 40), [], None)).content).text
    assert "No dataset version has been recorded yet" in text
