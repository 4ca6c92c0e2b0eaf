import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
import pytest

from ledger.analysis.data.cases import case_stories
from ledger.formatting import iso_week, number
from ledger.model.entries import Contents, StoredRun
from ledger.publish.pages import addresses
from ledger.publish.pages.board_page import render_board
from ledger.publish.pages.experiment_pages import render_experiment
from ledger.publish.pages.pictures import pictures_of
from ledger.publish.pages.run_page import render_run, restore_commands
from ledger.publish.site.build import build_site
from ledger.publish.site.site_data import board_path_of, survey
from tests.sample_versions import sample_cases, sample_retirement
from tests.samples import HOSTILE, Blobs, sample_ledger, sample_reader

VOID = {"meta", "link", "input", "br", "img", "hr"}


class Page(HTMLParser):
    """What a browser would see: tags with attributes, ids and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: set[str] = set()
        self.said: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids.update(value for name, value in attrs if name == "id" and value)

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())

    def attributes(self, tag: str, name: str) -> list[str]:
        return [attributes[name] or "" for found, attributes in self.tags if found == tag and name in attributes]


@pytest.fixture
def page(built: Path) -> Callable[[str], Page]:
    return lambda path: Page((built / path).read_text(encoding="utf-8"))


def run_where(ledger: tuple[Contents, Blobs], test: Callable[[StoredRun], bool]) -> StoredRun:
    return next(run for run in ledger[0].runs if test(run))


def broken_links(built: Path) -> list[str]:
    """Return every link to a file or a heading that a site does not have."""
    pages = {
        path.relative_to(built).as_posix(): Page(path.read_text(encoding="utf-8")) for path in built.rglob("*.html")
    }
    broken = []
    for path, page in pages.items():
        found = [
            *page.attributes("a", "href"),
            *page.attributes("img", "src"),
            *page.attributes("script", "src"),
            *page.attributes("link", "href"),
        ]
        for url in found:
            parts = urlsplit(url)
            if parts.scheme:
                assert parts.scheme in {"https", "http", "mailto", "data"}, url
                continue
            target = (built / path).parent / unquote(parts.path) if parts.path else built / path
            if not target.resolve().is_file():
                broken.append(f"{path}: {url}")
            elif parts.fragment and "=" not in parts.fragment:
                key = target.resolve().relative_to(built.resolve()).as_posix()
                if parts.fragment not in pages[key].ids | {"__codelineno-0-1"} and not parts.fragment.startswith("__"):
                    broken.append(f"{path}: {url} (no such heading)")
    return broken


def test_every_link_leads_to_something(built: Path) -> None:
    assert broken_links(built) == []


def test_a_group_of_which_every_run_is_retracted_is_linked_from_nowhere(
    ledger: tuple[Contents, Blobs], tmp_path: Path
) -> None:
    contents, blobs = ledger
    alone = contents.runs[0]
    metric = msgspec.structs.replace(
        alone.record.results.metrics[0], dataset="other@v1", dataset_hash="blake3:" + "9" * 64
    )
    results = msgspec.structs.replace(alone.record.results, metrics=[metric])
    run = msgspec.structs.replace(alone, record=msgspec.structs.replace(alone.record, results=results), evaluations=())
    note = msgspec.structs.replace(sample_retirement(), run=alone.record.id, dataset=None, kind="retraction")
    page = tmp_path / addresses.run_page(alone.record.id)

    def build(shown: StoredRun) -> list[str]:
        build_site(Contents(tip="1" * 40, runs=(shown,)), sample_reader(blobs), [], tmp_path)
        assert "other@v1" in Page(page.read_text()).text
        return [url for url in Page(page.read_text()).attributes("a", "href") if "/validation-accuracy-" in url]

    assert len(build(run)) == 1
    assert build(msgspec.structs.replace(run, notes=(note,))) == []
    assert broken_links(tmp_path) == []


def test_one_dataset_version_under_two_names_has_one_board(ledger: tuple[Contents, Blobs]) -> None:
    contents, _ = ledger
    first, *others = contents.runs
    metrics = [msgspec.structs.replace(metric, dataset="alias@v1") for metric in first.record.results.metrics]
    results = msgspec.structs.replace(first.record.results, metrics=metrics)
    renamed = msgspec.structs.replace(first, record=msgspec.structs.replace(first.record, results=results))
    atlas = survey(msgspec.structs.replace(contents, runs=(renamed, *others)), [], None)
    known = [metric for metric in renamed.metrics() if metric.dataset_hash]
    assert known
    assert "" not in {board_path_of(metric, atlas) for metric in known}


def test_nothing_is_asked_of_other_hosts(built: Path) -> None:
    for path in built.rglob("*.html"):
        page = Page(path.read_text(encoding="utf-8"))
        loaded = [*page.attributes("script", "src"), *page.attributes("img", "src"), *page.attributes("link", "href")]
        assert not [url for url in loaded if urlsplit(url).scheme not in {"", "data"}], path
    styles = b"".join(path.read_bytes() for path in built.rglob("*.css"))
    assert not re.findall(rb"url\((?!['\"]?data:)", styles)


def test_no_page_needs_inline_scripts_or_styles(built: Path) -> None:
    for path in built.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        if path == built / addresses.NOT_FOUND:
            continue
        assert "script-src 'self'; style-src 'self'" in html
        page = Page(html)
        for tag, attributes in page.tags:
            assert "style" not in attributes, (path, tag)
            assert not [name for name in attributes if name.startswith("on")], (path, tag)
            if tag == "script" and "src" not in attributes:
                assert attributes.get("type") == "application/json"
            assert tag != "style", path


def test_the_page_for_lost_addresses_admits_its_own_style_and_script_only(built: Path) -> None:
    html = (built / addresses.NOT_FOUND).read_text(encoding="utf-8")
    policy = html.split('Content-Security-Policy" content="')[1].split('"')[0]
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        source = html.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not [url for tag in ("a", "link") for url in Page(html).attributes(tag, "href")]


def test_markup_from_a_record_stays_text(ledger: tuple[Contents, Blobs], built: Path) -> None:
    own = re.compile(r"(\.\./)*assets/(ledger/[a-z_/]+|vendor/[\w./-]+|javascripts/bundle\.\w+\.min)(\.js)?")
    for path in built.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        page = Page(html)
        if path == built / addresses.NOT_FOUND:
            continue
        scripts = [attributes for tag, attributes in page.tags if tag == "script"]
        settings = {"id": "__config", "type": "application/json"}  # of the theme
        assert all(one == settings or own.fullmatch(one.get("src") or "") for one in scripts), path
        assert "<b>bold" not in html
        assert "{{7*7}}" not in html or "49" not in page.text[page.text.index("{{7*7}}") :][:10]
        assert not [url for url in page.attributes("a", "href") if url.startswith("javascript")]


def test_the_hostile_run_can_be_read(ledger: tuple[Contents, Blobs], page: Callable[[str], Page]) -> None:
    hostile = ledger[0].runs[-1]
    shown = page(addresses.run_page(hostile.record.id))
    assert "<script>alert(1)</script>\"'&⟨U+202E⟩gnp.exe⟨U+001B⟩[31m{{7*7}}" in shown.text
    assert "<b>bold</b> [link](javascript:alert(1))" in shown.text
    assert "paper <1>" in shown.text
    assert "https://example.org/paper?a=1&b=<2>" in shown.attributes("a", "href")
    assert "mailto:team@example.org" in shown.attributes("a", "href")


def test_no_page_or_data_file_holds_characters_that_hide(built: Path) -> None:
    for path in [*built.rglob("*.html"), *built.rglob("data/**/*.js")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text), path
        if path.suffix == ".js":
            assert not re.search(r"\\u00[01][0-9a-f]|\\u20[0-2][0-9a-f]", text), path


def test_an_svg_is_never_a_file_and_html_is_never_a_picture(ledger: tuple[Contents, Blobs], built: Path) -> None:
    contents, blobs = ledger
    svg, png, html = pictures_of(contents.runs[-1], sample_reader(blobs))
    assert svg.source.startswith("data:image/svg+xml;base64,")
    assert (built / png.path).read_bytes().startswith(b"\x89PNG")
    assert html.problem == "it is neither PNG nor SVG"
    assert not list((built / "data").rglob("*.svg"))


def test_every_box_says_what_is_unknown_and_why(ledger: tuple[Contents, Blobs], page: Callable[[str], Page]) -> None:
    lost = run_where(ledger, lambda run: run.record.status == "lost")
    shown = page(addresses.run_page(lost.record.id))
    boxes = ["code", "params", "datasets", "hardware", "environment", "cost", "model", "logs", "results", "statistics"]
    order = [value for tag, attributes in shown.tags if tag == "span" and (value := attributes.get("id")) in boxes]
    assert order == boxes
    assert shown.text.count("everything unknown : the process was gone before it could say") == 2
    assert "metrics unknown : the run was lost before its last epoch" in shown.text


def test_the_facts_of_a_run_are_on_its_page(ledger: tuple[Contents, Blobs], page: Callable[[str], Page]) -> None:
    run = run_where(ledger, lambda run: run.record.experiment == "augmentation")
    text = page(addresses.run_page(run.record.id)).text
    for expected in (
        "validation/accuracy", "0.934", "digits-validation@v2", "digits-eval 1", "NVIDIA L4", "41 %", "22 %", "37 194",
        "numpy==2.4.6", "OMP_NUM_THREADS", "WARNING learning rate is above", "Ticket 311", "0.04 USD per hour",
        "git fetch origin refs/ledger/kept", "apply --index --binary -", "write-tree", "try label smoothing",
        "python train.py --model=cnn",
    ):  # fmt: skip
        assert expected in text, expected


def test_a_later_evaluation_stands_beside_the_original(
    ledger: tuple[Contents, Blobs], page: Callable[[str], Page]
) -> None:
    run = run_where(ledger, lambda run: bool(run.evaluations))
    text = page(addresses.run_page(run.record.id)).text
    original, later = run.record.results.metrics[0].number, run.evaluations[0].metrics[0].number
    assert text.index(number(original)) < text.index("later evaluation") < text.index(number(later))


def test_a_baseline_on_the_same_data_is_compared_and_one_on_other_data_is_not(ledger: tuple[Contents, Blobs]) -> None:
    contents, blobs = ledger
    run = run_where(ledger, lambda run: run.record.experiment == "augmentation")
    evaluated = run_where(ledger, lambda run: bool(run.evaluations))
    only_v1 = run_where(ledger, lambda run: run.record.experiment == "cnn-width" and not run.evaluations)

    def text_against(baseline: StoredRun) -> str:
        record = msgspec.structs.replace(run.record, baseline=baseline.record.id)
        shown = msgspec.structs.replace(run, record=record)
        page, _, _ = render_run(shown, survey(contents, [], None), sample_reader(blobs))
        return Page(page.content).text

    assert "better than" in text_against(evaluated)
    refused = text_against(only_v1)
    assert "not comparable measured on different data: digits-validation@v2 and digits-validation@v1" in refused
    assert "better than" not in refused


def test_commands_to_paste_hold_nothing_from_a_hostile_record(ledger: tuple[Contents, Blobs]) -> None:
    run = ledger[0].runs[0]
    code = msgspec.structs.replace(run.record.code, commit="git:$(rm -rf ~)")
    evil = msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, code=code))
    assert restore_commands(evil) == []
    assert len(restore_commands(run)) == 1


def test_leaderboards_never_mix_dataset_versions(built: Path) -> None:
    pages = [path.read_text() for path in (built / "leaderboards").glob("validation-accuracy-*.html")]
    boards = [Page(page) for page in pages]
    assert len(boards) == 2
    ranked = [set(re.findall(r"2026\d{4}-\d{6}-\w{6}", page.split("Not on this board")[0])) for page in pages]
    assert sorted(map(len, ranked)) == [12, 15]
    for board in boards:
        assert "answer another question" in board.text


def test_a_board_merges_seeds_and_says_who_may_be_best(built: Path) -> None:
    boards = [Page(path.read_text()).text for path in (built / "leaderboards").glob("validation-accuracy-*.html")]
    (on_v1,) = (text for text in boards if "digits-validation@v1 is retired" in text)
    assert re.search(r"\d+ settings of 12 runs", on_v1)
    assert "★ may be the best" in on_v1
    assert "The others are not, by more than chance explains" in on_v1
    assert "mean of" not in on_v1.partition("What better results take")[0]
    assert "±" in on_v1


def test_a_retracted_run_stands_beside_the_board(ledger: tuple[Contents, Blobs]) -> None:
    contents, _ = ledger
    first = contents.runs[0]
    note = msgspec.structs.replace(sample_retirement(), run=first.record.id, dataset=None, kind="retraction")
    withdrawn = msgspec.structs.replace(first, notes=(note,))
    atlas = survey(msgspec.structs.replace(contents, runs=(withdrawn, *contents.runs[1:])), [], None)
    boards = [board for board in atlas.boards if board.group.key == "validation/accuracy"]
    assert len(boards) == 2
    for board in boards:
        text = Page(render_board(board, atlas).content).text
        ranked, _, apart = text.partition("Not on this board")
        assert first.record.id not in ranked
        assert re.search(rf"Retracted: .+ {first.record.id}", apart)


def test_a_board_of_unknown_data_is_not_ranked(built: Path) -> None:
    (path,) = (built / "leaderboards").glob("train-loss-*.html")
    assert "Not ranked. Nobody knows on which dataset version" in Page(path.read_text()).text


def test_the_history_of_a_validation_set_breaks_between_versions(built: Path) -> None:
    html = (built / "datasets" / "digits-validation.html").read_text()
    text = Page(html).text
    assert text.index("2 versions, newest first") < text.index("60 hard cases added") < text.index("against v1")
    assert html.index('id="v2"') < html.index('id="v1"')
    assert re.search(r"(\d+) of \d+ runs are not measured on it: ledger reevaluate digits-validation@v2", text)
    chart = html[html.index('class="lg-chart lg-history"') :].split("</svg>")[0]
    assert chart.count('class="lg-line') == 2
    assert chart.count('class="lg-break"') == 1
    assert "not measured" in text


def test_a_version_tells_what_it_changed_with_pictures_balance_drift_and_leaks(built: Path) -> None:
    html = (built / "datasets" / "digits-validation.html").read_text()
    text = Page(html).text
    assert "against v1: +60 added, \N{MINUS SIGN}1 removed, 0 changed, 1 relabelled" in text
    sources = re.findall(r'<img src="\.\./(data/samples/digits-validation/[0-9a-f]{32}\.png)"', html)
    assert len(sources) == 14
    for source in sources:
        assert (built / source).read_bytes().startswith(b"\x89PNG")
    assert html.count('class="lg-then"') == 10
    assert "Against production week 46: 1 of 2 comparisons differ by more than chance: images" in text
    assert "Against v1: no difference beyond chance in 2 comparisons: labels, images" in text
    assert re.search(r"added 12 of 60 shown", text)
    assert "Labels: 10 counts changed" in text
    assert text.index("60 hard cases") < text.index("Source: ") < text.index("against v1: +60")
    assert "shares 2 files with digits-train@v1" in text
    assert "label 8 has 34 samples" in text
    assert "retired" in html[html.index('id="v1"') : html.index('id="history"')]


def test_the_cases_of_a_dataset_say_who_broke_and_who_mended_them(page: Callable[[str], Page]) -> None:
    text = page("datasets/digits-validation.html").text.split("Cases that must pass", 2)[2]
    first, second = text.index("untried"), text.index("✓ passes")
    assert first < second  # what is not known to pass comes first
    assert "never 0 for blank page" in text
    assert "triage: bug" in text, "a bare `bug` beside `passes` says the opposite"
    story = case_stories(sample_cases(), sample_ledger()[0].runs)[1]
    assert story.broken_by
    assert all(run in text for run in story.broken_by[-3:])


def test_an_experiment_shows_what_was_varied(page: Callable[[str], Page]) -> None:
    shown = page("experiments/mlp-learning-rate.html")
    assert "Which learning rate suits the small MLP?" in shown.text
    assert "optimizer.lr (log)" in shown.text
    assert "hidden" not in shown.text.split("What was varied")[1].split("Learning curves")[0]


def test_an_experiment_shows_how_far_chance_alone_moves_a_setting(page: Callable[[str], Page]) -> None:
    text = page("experiments/mlp-learning-rate.html").text
    settings = text.split("Settings Runs of one setting")[1].split("What was varied")[0]
    assert "optimizer.lr 0.01 3" in settings
    assert "0.96 mean of 3 · 0.954 to 0.966" in settings
    assert "0.873 mean of 3 · 0.867 to 0.879" in settings
    best = text.split("Best results")[2].split("Settings Runs")[0]
    assert "mean of 3 · 0.954 to 0.966" in best


def test_without_repeats_nobody_knows_the_spread(page: Callable[[str], Page]) -> None:
    text = page("experiments/cnn-width.html").text
    assert "No setting was run more than once" in text
    assert "1 run: spread unknown" in text


def test_a_seed_is_no_param_to_draw(page: Callable[[str], Page], built: Path) -> None:
    html = (built / "experiments" / "mlp-learning-rate.html").read_text()
    labels = re.findall(r'<text class="lg-name"[^>]*>([^<]+)</text>', html)
    assert "optimizer.lr (log)" in labels
    assert "seed" not in labels


def test_an_amount_says_itself_exactly_when_pointed_at(ledger: tuple[Contents, Blobs], built: Path) -> None:
    run = ledger[0].runs[0]
    html = (built / addresses.run_page(run.record.id)).read_text()
    amount = run.record.cost.amount
    assert amount is not None
    assert amount < 0.001
    assert f'title="{amount:.6f} USD">&lt;0.001 USD</span>' in html


def test_the_home_page_counts_what_was_done(ledger: tuple[Contents, Blobs], page: Callable[[str], Page]) -> None:
    text = page("index.html").text
    runs = ledger[0].runs
    last = iso_week(max(run.record.timing.started_at for run in runs))
    latest = [run for run in runs if iso_week(run.record.timing.started_at) == last]
    failed = sum(run.record.status not in {"finished", "pruned"} for run in latest)
    assert f"runs {len(runs)} {len(latest)} in week {last[5:]}, 4 experiments" in text
    assert f"did not finish {failed} of {len(latest)} in week {last[5:]}" in text
    assert "GPUs held idle" in text


def test_the_home_page_leads_to_the_milestones(page: Callable[[str], Page]) -> None:
    home = page("index.html")
    assert re.search(r"furthest milestone \d of 7 \S", home.text)
    assert "milestones/index.html" in [at.get("href") for tag, at in home.tags if at.get("class") == "lg-tile"]


def test_values_that_were_varied_stand_in_order_of_size(ledger: tuple[Contents, Blobs]) -> None:
    contents, blobs = ledger
    first = contents.runs[0]
    same = [run for run in contents.runs if run.record.experiment == first.record.experiment]
    runs = []
    for run, width in zip(same, (12, 7, 100), strict=False):
        params = msgspec.structs.replace(run.record.params, values={"width": width})
        runs.append(msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, params=params)))
    assert len(runs) == 3
    atlas = survey(Contents(tip="1" * 40, runs=tuple(runs)), [], None)
    text = Page(render_experiment(first.record.experiment, atlas, sample_reader(blobs)).content).text
    assert re.search(r"width 7 \W 1 12 \W 1 100 \W 1", text)


def test_an_experiment_of_retracted_runs_says_so(ledger: tuple[Contents, Blobs]) -> None:
    contents, blobs = ledger
    first = contents.runs[0]
    note = msgspec.structs.replace(sample_retirement(), run=first.record.id, dataset=None, kind="retraction")
    atlas = survey(Contents(tip="1" * 40, runs=(msgspec.structs.replace(first, notes=(note,)),)), [], None)
    text = Page(render_experiment(first.record.experiment, atlas, sample_reader(blobs)).content).text
    assert "Nothing is ranked: every run was retracted." in text
    assert "1 retracted" in text
    assert "finished" not in text


def test_one_author_is_named_once_and_several_in_each_row(ledger: tuple[Contents, Blobs]) -> None:
    contents, blobs = ledger
    runs = [run for run in contents.runs if run.record.experiment == contents.runs[0].record.experiment]

    def text_of(shown: list[StoredRun]) -> str:
        atlas = survey(Contents(tip="1" * 40, runs=tuple(shown)), [], None)
        return Page(render_experiment(runs[0].record.experiment, atlas, sample_reader(blobs)).content).text

    def by(name: str, run: StoredRun) -> StoredRun:
        author = msgspec.structs.replace(run.record.author, name=name)
        return msgspec.structs.replace(run, record=msgspec.structs.replace(run.record, author=author))

    alone = text_of([by("Ada", run) for run in runs])
    assert "by Ada" in alone
    assert len(re.findall(r"\bAda\b(?!, )", alone)) == 1
    both = text_of([by("Ada", runs[0]), *(by("Bob", run) for run in runs[1:])])
    assert "Cost Author" in both
    assert both.count("Bob") >= len(runs) - 1


def test_titles_and_descriptions_say_what_a_page_is(built: Path) -> None:
    titles: dict[str, str] = {}
    for path in built.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        title = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
        assert title is not None
        assert title[1].strip().endswith("· Digits &lt;lab&gt;")
        assert title[1] not in titles.values(), path
        titles[path.name] = title[1]
        description = re.search(r'name="description" content="([^"]+)"', html)
        assert description is not None, path
        assert len(description[1]) > 15


def test_the_glossary_has_every_field(page: Callable[[str], Page]) -> None:
    text = page("handbook/glossary.html").text
    for expected in (
        "gpu_idle_fraction Share of the time",
        "headline Key of the metric",
        "noise floor the spread of a metric",
    ):
        assert expected in text


def test_a_table_of_the_latest_runs_stands_on_the_page_without_scripts(
    ledger: tuple[Contents, Blobs], page: Callable[[str], Page]
) -> None:
    shown = page("runs/index.html")
    for run in ledger[0].runs:
        assert f"../runs/{run.record.id}.html" in shown.attributes("a", "href")


def test_names_in_data_for_scripts_are_what_pages_show(built: Path) -> None:
    data = "".join(path.read_text("utf-8") for path in [built / "data/runs.js", *(built / "data/table").iterdir()])
    assert data.startswith('ledgerData("runs", {')
    assert HOSTILE not in data
    assert "⟨U+202E⟩" in data
