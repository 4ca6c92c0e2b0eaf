"""The chain and the weak points on the page of a run: what a reader sees, and that nothing of it is markup."""

import re

import msgspec
import pytest

from ledger.analysis.weak.weak_points import WeakPoints
from ledger.model.boxes.inputs import Params, Step
from ledger.model.boxes.outputs import Figure
from ledger.model.datasets import SamplePicture, VersionChange
from ledger.model.entries import Contents, DatasetVersion, Note, StoredRun
from ledger.model.tables import Cells
from ledger.publish.pages import addresses
from ledger.publish.pages.parts.weak_view import WeakReader
from ledger.publish.pages.run_page import render_run
from ledger.publish.site.build import build_site
from ledger.publish.site.site_data import survey
from tests.sample_runs import HOSTILE, PNG
from tests.sample_tables import Named, with_tables
from tests.samples import Blobs, sample_ledger, sample_log, sample_reader

SLICES = Cells(columns=["slice", "accuracy", "samples"], rows=[["night", "0.5", "200"], ["day", "0.99", "400"]])
MISTAKES = Cells(
    columns=["sample", "truth", "predicted", "confidence"],
    rows=[["a/1.png", "cat", "dog", "0.99"], ["two", HOSTILE, HOSTILE, "0.8"]],
)
TABLES: list[Named] = [("slices", "slices", SLICES), ("mistakes", "table", MISTAKES)]


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def evaluated(run: StoredRun) -> StoredRun:
    """Return the run whose tables are of the evaluator of its metric, as recording makes them."""
    metric = run.record.metric("validation/accuracy")
    statistics = run.record.statistics
    tables = [msgspec.structs.replace(one, evaluator=metric and metric.evaluator) for one in statistics.tables]
    record = msgspec.structs.replace(run.record, statistics=msgspec.structs.replace(statistics, tables=tables))
    return msgspec.structs.replace(run, record=record)


class Study:
    """The sample ledger, whose first run has tables and steps."""

    def __init__(self) -> None:
        self.contents, self.blobs = sample_ledger()

    def change(self, tables: list[Named], *steps: Step, **params: str) -> StoredRun:
        first = self.contents.runs[0]
        values = {**first.record.params.values, **params}
        record = msgspec.structs.replace(first.record, params=Params(values=values, chain=list(steps)))
        run = evaluated(with_tables(self.blobs, msgspec.structs.replace(first, record=record), tables))
        self.contents = msgspec.structs.replace(self.contents, runs=(run, *self.contents.runs[1:]))
        return run

    def page(self, run: StoredRun) -> tuple[str, WeakPoints | None]:
        atlas, reader = survey(self.contents, [], None), sample_reader(self.blobs)
        weak = WeakReader(atlas, reader, self.contents.datasets).read(run)
        return render_run(run, atlas, reader, weak=weak)[0].content, weak.points if weak else None


@pytest.fixture
def study() -> Study:
    return Study()


def test_the_chain_leads_from_data_over_the_steps_and_the_model_to_the_metric(study: Study) -> None:
    augment = Step(name="augment", stage="input", code=f"blake3:{'a' * 64}", function="train.flip")
    vote = Step(name="postprocess", stage="output", unknown="the source of this step cannot be read: `vote`")
    page, _ = study.page(study.change([], augment, vote, **{"augment.p": "0.5"}))
    chain = text_of(page[page.index('<ol class="lg-chain"') : page.index("</ol>", page.index("lg-chain"))])
    assert re.fullmatch(
        r"data digits-train\S* step augment p 0.5 train.flip code \S*a+\S* model torch step postprocess code unknown"
        r" metric validation/accuracy",
        chain,
    ), chain


def test_a_run_that_stated_no_steps_has_no_chain_and_without_tables_no_weak_points(study: Study) -> None:
    page, points = study.page(study.change([]))
    assert points is None
    assert "lg-chain" not in page
    assert "lg-weak" not in page


def test_a_step_whose_every_text_is_hostile_is_no_markup_and_bounded(study: Study) -> None:
    step = Step(name=HOSTILE, stage="input", code=HOSTILE, function=HOSTILE * 20, unknown=HOSTILE)
    many = {f"{HOSTILE}.{HOSTILE}{place}": HOSTILE * 100 for place in range(50)}
    page, _ = study.page(study.change(TABLES, step, **many))
    assert "<script>alert" not in page
    assert "\u202e" not in page
    chain = page[page.index('<ol class="lg-chain"') : page.index("</ol>", page.index("lg-chain"))]
    assert "42 more params" in chain
    assert len(chain) < 30_000


def test_weak_points_stand_on_the_page_with_their_guess(study: Study) -> None:
    run = study.change(TABLES)
    page, points = study.page(run)
    assert points is not None
    weak = page[page.index('<section class="lg-weak"') :]
    said = text_of(weak[: weak.index("</section>")])
    assert "night weak 0.5" in said
    assert "cat taken for dog 99 % sure" in said
    assert "add training data like night" in said
    assert "<code>night</code>" in weak
    assert f"ledger weak {run.record.id}" in said
    assert "<script>alert" not in weak
    assert "2 of them stand without a picture" in said


def test_a_pair_that_was_confused_once_is_not_confused_1_times(study: Study) -> None:
    confusion = Cells(columns=["truth", "cat", "dog"], rows=[["cat", "9", "1"], ["dog", "2", "8"]])
    page, _ = study.page(study.change([("confusion", "confusion", confusion)]))
    said = text_of(page)
    assert "cat taken for dog once" in said
    assert "dog taken for cat 2 times" in said


def with_picture(contents: Contents, blobs: Blobs, content_hash: str) -> Contents:
    """Return the ledger whose judged version kept a picture of a sample."""
    versions = []
    for one in contents.datasets:
        if one.hash == content_hash:
            kept = SamplePicture(sample="a/1.png", change="added", file="pictures/1.png", hash=f"blake3:{'1' * 64}")
            change = VersionChange(parent="v0", added=1, removed=0, changed=0, pictures=[kept])
            versions.append(msgspec.structs.replace(one, change=change))
            blobs["picture"] = PNG
            paths = {f"datasets/{one.name}/{one.version}/pictures/1.png": "picture"}
        else:
            versions.append(one)
    return msgspec.structs.replace(contents, datasets=tuple(versions), pictures={**contents.pictures, **paths})


def judged_on(run: StoredRun, versions: tuple[DatasetVersion, ...]) -> str:
    metric = run.record.metric("validation/accuracy")
    assert metric is not None
    assert metric.dataset_hash in {one.hash for one in versions}
    return metric.dataset_hash or ""


def test_a_mistake_shows_the_picture_that_its_dataset_kept(
    study: Study, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = study.change(TABLES)
    study.contents = with_picture(study.contents, study.blobs, judged_on(run, study.contents.datasets))
    output = tmp_path_factory.mktemp("site") / "out"
    build_site(study.contents, sample_reader(study.blobs), sample_log(study.contents), output)
    page = (output / addresses.run_page(run.record.id)).read_text("utf-8")
    (source,) = re.findall(r'<li><img src="([^"]+)"', page)
    assert (output / addresses.run_page(run.record.id)).parent.joinpath(source).resolve().read_bytes() == PNG


def test_a_figure_titled_with_the_id_of_a_sample_is_its_picture(study: Study) -> None:
    run = study.change(TABLES)
    figures = [
        Figure(file=f"figures/{place}.png", title=title, hash=f"blake3:{place}", bytes=len(PNG))
        for place, title in enumerate(("roc", "a/1.png", "two"))
    ]
    record = msgspec.structs.replace(run.record, results=msgspec.structs.replace(run.record.results, figures=figures))
    study.blobs |= {"png": PNG, "svg": b"<svg onload='alert(1)'>"}
    files = {**run.files, "figures/1.png": "png", "figures/2.png": "svg"}
    page, points = study.page(msgspec.structs.replace(run, record=record, files=files))
    assert points is not None
    assert points.mistakes[0].picture is not None
    assert points.mistakes[0].picture.path == f"{run.path}/figures/1.png"
    shown = page.partition('class="lg-mistakes"')[2].partition("</ul>")[0]
    assert re.findall('<img src="([^"]+)"', shown) == [
        addresses.link(addresses.figure_file(run.record.id, 2), 1)  # an SVG is never a file of the site
    ]


def test_a_picture_that_is_no_small_png_is_not_shown(study: Study) -> None:
    run = study.change(TABLES)
    study.contents = with_picture(study.contents, study.blobs, judged_on(run, study.contents.datasets))
    study.blobs["picture"] = b"<svg onload='alert(1)'>"
    assert "<img" not in study.page(run)[0].partition('class="lg-mistakes"')[2].partition("</ul>")[0]


def test_a_retracted_run_gets_no_guesses(study: Study) -> None:
    run = study.change(TABLES)
    said = Note(
        format=1, id=run.record.id, run=run.record.id, kind="retraction", text="wrong labels",
        author=run.record.author, noted_at=run.record.timing.ended_at, tool=run.record.tool,
    )  # fmt: skip
    page, points = study.page(msgspec.structs.replace(run, notes=(said,)))
    assert points is not None
    assert points.guesses == []
    assert "Weak points" in page
