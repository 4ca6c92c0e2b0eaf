"""`ledger review`: the verdict in a word, what changed, and a comment in which nothing from a record can act."""

import json
import re
import subprocess
from datetime import date, timedelta
from pathlib import Path

import cmarkgfm  # type: ignore[import-untyped]  # it ships no types
import msgspec
import pytest

from ledger.hashing import hash_bytes
from ledger.model.boxes.cost import Cost, PriceRow
from ledger.model.document import dump
from ledger.model.entries import StoredRun
from ledger.model.notebook import CellExecution, Notebook
from ledger.model.paths import RECORD_FILE
from ledger.model.record import Record
from ledger.model.values import ParamValue, number
from ledger.publish.review.comment import MARKER, MOST_BYTES, code, render_review
from ledger.recorder.message import record_message
from ledger.recorder.statements.proposal import begin_proposal
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.review.evidence import review_runs
from ledger.store.review.proposals import read_proposed
from tests.conftest import Cli, git_in
from tests.samples import START, Blobs, sample_run

BASE, GOOD = (0.901, 0.898, 0.903, 0.899, 0.902, 0.900), (0.951, 0.948, 0.953, 0.949, 0.952, 0.950)
BAD = (0.851, 0.848, 0.853, 0.849, 0.852, 0.850)


class Study:
    """Puts runs on the ledger, and on proposals."""

    def __init__(self, ledger: Branch) -> None:
        self.ledger = ledger
        self.made = 0

    def add(self, lr: float, values: tuple[float, ...], proposal: str | None = None, **changes: object) -> list[str]:
        place = begin_proposal(self.ledger, proposal) if proposal else self.ledger
        return [self._append(place, lr, seed, value, changes) for seed, value in enumerate(values)]

    def _append(self, place: Branch, lr: float, seed: int, value: float, changes: dict[str, object]) -> str:
        self.made += 1
        params: dict[str, ParamValue] = {"lr": lr, "seed": seed}
        started = START + timedelta(minutes=self.made)
        blobs: Blobs = {}
        run: StoredRun = sample_run(blobs, self.made, experiment="study", params=params, accuracy=0.5, started=started)
        (metric, *_) = run.record.results.metrics
        changes = dict(changes)
        version = str(changes.pop("version", "v1"))
        said = {"value": number(value), "direction": "higher", "dataset": f"d@{version}"}
        metric = msgspec.structs.replace(metric, dataset_hash=hash_bytes(version.encode()), **said)
        results = msgspec.structs.replace(run.record.results, metrics=[metric], headline=metric.key)
        record: Record = msgspec.structs.replace(run.record, results=results, **changes)
        files = {f"{run.path}/{name}": blobs[blob] for name, blob in run.files.items()}
        place.append(
            Entry(
                id=record.id,
                files=files | {f"{run.path}/{RECORD_FILE}": dump(record)},
                message=record_message(record, run.path),
                author=record.author,
                made_at=record.timing.recorded_at,
            )
        )
        return record.id


@pytest.fixture
def study(ledger: Branch, cli: Cli) -> Study:
    made = Study(ledger)
    base = made.add(0.1, BASE * 2)
    assert cli("baseline", base[0]).code == 0
    return made


def review(cli: Cli, what: str, *options: str) -> str:
    done = cli("review", what, "--format", "markdown", *options)
    assert done.code == 0, done.err
    return done.out


def words_of(comment: str) -> list[str]:
    return re.findall(r"^<details><summary>\S+ ([a-z ]+):", comment, re.MULTILINE)


@pytest.mark.parametrize(
    ("lr", "values", "word"),
    [
        (0.2, GOOD, "better"),
        (0.3, BAD, "worse"),
        (0.5, BASE * 2, "within noise"),
        (0.4, (0.91,), "cannot tell"),
    ],
)
def test_the_verdict_comes_first_and_in_a_word(
    study: Study, cli: Cli, lr: float, values: tuple[float, ...], word: str
) -> None:
    study.add(lr, values, "p")
    comment = review(cli, "p")
    assert comment.startswith(MARKER)
    heading = comment.splitlines()[1]
    if len(values) == 1:
        assert re.match(rf"## \S+ {word.capitalize()}: `", heading)
    else:
        assert f"{len(values)} {word}" in heading
        assert words_of(comment) == [word] * len(values)


def test_values_on_other_data_are_not_comparable_and_the_mend_is_named(study: Study, cli: Cli) -> None:
    (run,) = study.add(0.2, (0.99,), "p", version="v2")
    comment = review(cli, "p")
    assert re.match(r"## \S+ Not comparable: `", comment.splitlines()[1])
    assert "measured on different data" in comment
    assert re.search(
        r"^To mend it: `ledger reevaluate d@v2 --runs 'id = \S+' -- COMMAND \{model\}`$", comment, re.MULTILINE
    )
    found = json.loads(cli("review", "p", "--json").out)
    assert (found["runs"][0]["word"], found["runs"][0]["run"]["record"]["id"]) == ("not comparable", run)


def test_what_changed_stands_beside_the_baseline_and_the_best(study: Study, cli: Cli) -> None:
    best = study.add(0.2, GOOD)
    study.add(0.3, (0.95,), "p", note="a new schedule")
    comment = review(cli, "p")
    assert re.search(r"\| param `lr` \| `0\.1` \| `0\.2` \| `0\.3` \|", comment)
    assert f"the best `{best[-1]}`" in comment
    assert re.search(r"\| `validation/accuracy` ↑ \| `d@v1` \| 0\.9\d+ \| 0\.9\d+ \| \*\*0\.95\*\* \| ± 0\.00", comment)
    assert "> `a new schedule`" in comment
    assert "- [ ] " in comment


def test_software_and_machines_that_differ_are_named(study: Study, cli: Cli) -> None:
    base = sample_run({}, 1, experiment="study", params={}, accuracy=0.5, started=START).record
    environment = msgspec.structs.replace(base.environment, python="3.99.0", frameworks={"torch": "9.9"})
    hardware = msgspec.structs.replace(base.hardware, cpu="Abacus 7")
    study.add(0.1, (0.95,), "p", environment=environment, hardware=hardware)
    comment = review(cli, "p")
    for row in (
        r"`python` \| `3\.\d+\.\d+` \| `3\.99\.0`",
        r"`cpu` \| `[^`]+` \| `Abacus 7`",
        r"`torch` \| .* \| `9\.9`",
    ):
        assert re.search(row, comment), row
    study.add(0.1, (0.95,), "q")
    assert "`cpu`" not in review(cli, "q"), "what is the same is not said"


def test_the_row_that_a_price_comes_from_stands_beside_it(study: Study, cli: Cli) -> None:
    row = PriceRow(
        provider="ec2", instance="p5|`x`", kind="spot", price_per_hour=31.4, currency="EUR", source="list",
        valid_from=date(2026, 1, 1),
    )  # fmt: skip
    study.add(0.1, (0.95,), "p", cost=Cost(amount=94.2, currency="EUR", row=row))
    comment = review(cli, "p")
    shown = r"cost `94\.20 EUR` \(price row `ec2 p5\\\|\u02cbx\u02cb, spot, from 2026-01-01`\)"
    assert re.search(shown, comment), comment[-1500:]


def test_what_a_notebook_would_not_repeat_stands_in_the_comment(study: Study, cli: Cli) -> None:
    study.add(0.1, BASE)
    study.add(0.3, GOOD[:1], "p")
    first = review(cli, "p")
    (one, *_) = review_runs(study.ledger, read_proposed(study.ledger, "p"))
    late = [CellExecution(number=1, hash="blake3:0", lines=1, late=True)]
    notebook = Notebook(path="x|`y`.ipynb", hash="blake3:0", bytes=1, executions=late)
    code_box = msgspec.structs.replace(one.run.record.code, notebook=notebook)
    record = msgspec.structs.replace(one.run.record, code=code_box)
    made = render_review("p", [msgspec.structs.replace(one, run=msgspec.structs.replace(one.run, record=record))])
    assert re.search(r"^- In \\?\[1\\?\] ran out of order", made, re.MULTILINE)
    assert "notebook" not in first


def test_a_sweep_of_twelve_is_one_table_and_folds_away(study: Study, cli: Cli) -> None:
    for at in range(12):
        study.add(1 + at, (0.9 + at / 1000,), "sweep")
    comment = review(cli, "sweep")
    assert comment.splitlines()[1].startswith("## 12 runs: ")
    assert len(re.findall(r"^\| `2026", comment, re.MULTILINE)) == 12
    assert comment.count("<details>") == comment.count("</details>") == 12


def test_fifty_runs_fit_into_a_comment(study: Study, cli: Cli) -> None:
    many = {f"option_{at}": "x" * 60 for at in range(30)}
    for at in range(50):
        base = sample_run({}, 1, experiment="study", params={}, accuracy=0.5, started=START).record.params
        params = msgspec.structs.replace(base, values={**many, "lr": 2.0 + at})
        study.add(2 + at, (0.9,), "many", params=params, note="y" * 3000)
    comment = review(cli, "many")
    assert len(comment.encode()) < 60_000 <= MOST_BYTES + 2_000
    assert len(re.findall(r"^\| `2026", comment, re.MULTILINE)) == 50
    assert "are left out here" in comment


def test_a_thousand_runs_fit_into_a_comment_and_are_counted(study: Study) -> None:
    study.add(0.2, (0.9, 0.91), "many")
    reviews = review_runs(study.ledger, read_proposed(study.ledger, "many"))
    comment = render_review("many", reviews * 500)
    assert len(comment.encode()) <= MOST_BYTES
    assert re.search(r"^And \d+ more runs\.$", comment, re.MULTILINE)


HOSTILE = (
    "<script>alert(1)</script>",
    "</code></summary></details><img src=x onerror=alert(1)>",
    "`code` ``more`` `",
    "| a | b |\n|---|---|",
    "@everyone #1 ![x](https://evil.example/x.png) [y](javascript:alert(1))",
    "https://evil.example www.evil.example evil@evil.example",
    "\x1b[31mred\x1b[0m \u202eover\u2066 <!-- -->",
    "- [x] done\n# heading\n> quote",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_from_a_record_acts_on_a_host(study: Study, cli: Cli, text: str) -> None:
    base = sample_run({}, 1, experiment="study", params={}, accuracy=0.5, started=START).record
    params = msgspec.structs.replace(base.params, values={"lr": 0.2, "evil": text, text[:40]: 1})
    logs = msgspec.structs.replace(base.logs, warnings={text: 3}, unknown={"all": text})
    study.add(0.2, (0.95, 0.96), "p", params=params, logs=logs, note=text, reason=text, status="failed")
    study.add(0.2, (0.95,), "q", version=f"v2 {text}")
    for line in review(cli, "q").splitlines():
        assert not re.search(r"<a |<img|<script", cmarkgfm.github_flavored_markdown_to_html(line, options=0x20000))
    comment = review(cli, "p")
    html = cmarkgfm.github_flavored_markdown_to_html(comment, options=0x20000)  # our own folds pass: CMARK_OPT_UNSAFE
    tags = {tag.lower() for tag in re.findall(r"<\s*/?\s*([a-zA-Z][a-zA-Z0-9]*)", html)}
    ours = {"h2", "h3", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "details",
            "summary", "blockquote", "input"}  # fmt: skip
    assert tags <= ours
    assert not re.search(r"<a |<img|<script|<[^>]* on\w+=", html)
    assert html.count("<details>") == html.count("</details>") == 2
    assert html.count('type="checkbox"') == 5, "only our own checklist"
    visible = re.sub(r"<code>.*?</code>", "", html, flags=re.DOTALL)
    assert "evil" not in visible
    assert "everyone" not in visible
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", comment)


@pytest.mark.parametrize("text", [*HOSTILE, "", " ", "``", "\\|", "|", "a\nb", "x" * 500])
def test_a_code_span_is_one_span_in_a_table_cell(text: str) -> None:
    html = cmarkgfm.github_flavored_markdown_to_html(f"| a | b |\n|---|---|\n| {code(text)} | end |")
    assert html.count("<td>") == 2
    assert html.count("<code>") == 1
    assert "<td>end</td>" in html


def test_the_page_is_html_without_scripts(study: Study, cli: Cli, tmp_path: Path) -> None:
    study.add(0.2, (0.95,), "p", note="<script>alert(1)</script>")
    done = cli("review", "p", "--output", str(tmp_path / "review.html"))
    assert done.code == 0, done.err
    page = (tmp_path / "review.html").read_text()
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_what_check_finds_keeps_it_from_being_merged(study: Study, cli: Cli, repo: Path) -> None:
    study.add(0.2, (0.95,), "p")
    tip = git_in(repo, "rev-parse", "ledger-review/p").strip()
    (repo.parent / "x").write_text("x")
    blob = git_in(repo, "hash-object", "-w", str(repo.parent / "x")).strip()
    tree = git_in(repo, "ls-tree", tip) + f"100644 blob {blob}\tevil.sh\n"
    new = subprocess.run(["git", "-C", str(repo), "mktree"], input=tree, capture_output=True, text=True, check=True)
    commit = git_in(repo, "commit-tree", new.stdout.strip(), "-p", tip, "-m", "evil").strip()
    git_in(repo, "update-ref", "refs/heads/ledger-review/p", commit)
    comment = review(cli, "p")
    assert comment.splitlines()[1].startswith("## ⛔ Not to be merged")
    assert "evil.sh" in comment


def test_decisions_become_notes(study: Study, cli: Cli, repo: Path) -> None:
    (kept,) = study.add(0.2, (0.95,), "kept")
    (dropped,) = study.add(0.3, (0.7,), "dropped")
    assert cli("review", "kept", "--accept", "--because", "five seeds, better").code == 0
    assert cli("review", "dropped", "--reject", "--because", "tuned on the test set").code == 0
    ledger = Branch.open(repo)
    assert ledger.contents().problems == ()
    assert [run.record.id for run in ledger.contents().runs if run.record.id in {kept, dropped}] == []
    assert f"rejection of {dropped}: tuned on the test set" in git_in(repo, "log", "-1", "--format=%s", "ledger")
    assert "warning" not in cli("list").err, "a rejected run is no damage"
    subject = git_in(repo, "log", "-1", "--format=%s", "ledger-review/kept")
    assert subject.startswith(f"acceptance of {kept}: five seeds")
    assert cli("verify").code == 0
    git_in(repo, "checkout", "--quiet", "-b", "merging", "ledger")
    git_in(repo, "merge", "--quiet", "--no-edit", "ledger-review/kept")
    git_in(repo, "update-ref", "refs/heads/ledger", "merging")
    git_in(repo, "checkout", "--quiet", "main")
    assert "review" in cli("show", kept).out
    assert cli("verify").code == 0


@pytest.mark.parametrize(
    ("arguments", "code_", "why"),
    [
        (("nope",), 1, "no run has this id"),
        (("-x",), 2, ""),
        (("a..b",), 1, "no such range"),
        (("p", "--accept"), 2, "a decision needs a reason"),
        (("p", "--because", "x"), 2, "a decision needs a reason"),
    ],
)
def test_what_cannot_be_reviewed_is_said(
    study: Study, cli: Cli, arguments: tuple[str, ...], code_: int, why: str
) -> None:
    study.add(0.2, (0.95,), "p")
    done = cli("review", *arguments)
    assert done.code == code_, done.err
    assert why in done.err


def test_two_proposals_merge_in_either_order(study: Study, cli: Cli, repo: Path) -> None:
    (one,) = study.add(0.2, (0.95,), "one")
    (two,) = study.add(0.3, (0.96,), "two")
    for order in (("one", "two"), ("two", "one")):
        git_in(repo, "checkout", "--quiet", "-B", "trial", "ledger")
        for name in order:
            git_in(repo, "merge", "--quiet", "--no-edit", f"ledger-review/{name}")
        assert {one, two} <= {
            path.rpartition("/")[2] for path in git_in(repo, "ls-tree", "-r", "-d", "--name-only", "trial").split()
        }
        git_in(repo, "checkout", "--quiet", "main")


def test_a_proposal_that_is_merged_is_the_run_it_is_named_after_or_is_said_to_be_merged(
    study: Study, cli: Cli, repo: Path
) -> None:
    done = cli("record", "--review", "-m", "validation/accuracy=0.5", "--json")
    run = json.loads(done.out)["id"]
    git_in(repo, "update-ref", "refs/heads/ledger", f"ledger-review/{run}")
    assert review(cli, run).splitlines()[1].endswith(f"`{run}`")
    git_in(repo, "branch", "ledger-review/p", "ledger")
    merged = cli("review", "p")
    assert merged.code == 1
    assert "all of this is on the ledger already: `p`" in merged.err


def test_a_decision_is_json_where_that_is_asked_for_and_says_that_it_was_not_sent(
    study: Study, cli: Cli, repo: Path
) -> None:
    (run,) = study.add(0.2, (0.95,), "p")
    git_in(repo, "remote", "add", "origin", str(repo.parent / "away.git"))
    done = cli("review", "p", "--accept", "--because", "\nit is better", "--json")
    assert done.code == 0, done.err
    assert [(note["run"], note["kind"]) for note in json.loads(done.out)] == [(run, "acceptance")]
    assert f"acceptance of {run}: it is better" in done.err
    assert "the decision is safe here, but" in done.err
    git_in(repo, "remote", "remove", "origin")
    taken = cli("propose", "--withdraw", "p", "--json")
    assert json.loads(taken.out) == ["here"]


def test_a_decision_on_what_only_a_remote_has_says_what_to_type(study: Study, cli: Cli, repo: Path) -> None:
    study.add(0.2, (0.95,), "p")
    git_in(repo, "update-ref", "refs/remotes/origin/ledger-review/p", "ledger-review/p")
    git_in(repo, "branch", "-D", "ledger-review/p")
    done = cli("review", "p", "--accept", "--because", "better")
    assert done.code == 2
    hint = re.search(r"hint: (git branch \S+ \S+), then: ledger review NAME", done.err)
    assert hint
    git_in(repo, *hint[1].replace("NAME", "p").split()[1:])
    assert cli("review", "p", "--accept", "--because", "better").code == 0
