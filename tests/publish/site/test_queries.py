"""One query language: the index, plain Python and the site's scripts answer the questions of `queries.json` alike."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from ledger.analysis.query.fields import FIELDS
from ledger.analysis.query.language import parse_query
from ledger.errors import UsageError
from ledger.model.entries import Contents
from ledger.publish.site.site_data import survey
from ledger.publish.site.table_units import table_units
from tests.asking import Asked
from tests.browser.chromium import NODE
from tests.conftest import ROOT
from tests.oracle import names_of, passes
from tests.queries import FILE, Question, letter, question_runs, questions

LEAST = 80
"""Questions that are asked at least."""


def in_python(asked: str) -> Question:
    """Return the answer of plain Python, which looks at every run."""
    runs = question_runs()
    if not asked.strip():
        return Question(ask=asked, runs=[letter(run) for run in runs])
    try:
        query, warnings = names_of(runs).resolve(parse_query(asked))
    except UsageError as error:
        return Question(ask=asked, error=error.message.splitlines()[0])
    return Question(ask=asked, runs=[letter(run) for run in runs if passes(query, run)], warnings=warnings)


def in_the_index(index: Asked, asked: str) -> Question:
    """Return the answer of the index."""
    try:
        query = parse_query(asked) if asked.strip() else None
        found, _ = index.select(query, reverse=True)
        warnings = index.index.filter_warnings(query)
    except UsageError as error:
        return Question(ask=asked, error=error.message.splitlines()[0])
    # What else it warns of is no matter of names.
    read = [warning for warning in warnings if " is read as " in warning]
    return Question(ask=asked, runs=[letter(run) for run in found], warnings=read)


def mixed_in_the_index() -> dict[str, list[str]]:
    """Return the questions that compare values of different data with one number, with what the terminal says of it."""
    index = Asked(question_runs())
    found: dict[str, list[str]] = {}
    for question in questions():
        if question.runs is not None and question.ask.strip():
            said = index.index.filter_warnings(parse_query(question.ask))
            told = [warning.partition("; to compare them")[0] for warning in said if "not comparable" in warning]
            found |= {question.ask: sorted(told)} if told else {}
    return found


def test_there_are_questions_of_every_kind() -> None:
    asked = questions()
    assert len(asked) >= LEAST
    assert len({question.ask for question in asked}) == len(asked)
    assert all((question.runs is None) != (question.error is None) for question in asked)
    for operator in ("=", "!=", "<", "<=", ">", ">=", "~", " and ", " or ", "not ", "(", "'", '"'):
        assert sum(operator in question.ask for question in asked if question.runs is not None) > 1, operator


def test_plain_python_gives_the_answers() -> None:
    assert [in_python(question.ask) for question in questions()] == questions()


def test_the_index_gives_the_answers() -> None:
    index = Asked(question_runs())
    assert [in_the_index(index, question.ask) for question in questions()] == questions()


@pytest.mark.parametrize("together", [1, 3, 2500])
def test_the_scripts_of_the_site_give_the_answers(
    together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.publish.site.table_units.PART", together)
    atlas = survey(Contents(tip="1" * 40, runs=tuple(question_runs())), [], None)
    marks = {run.record.id: run.record.id for run in atlas.runs}
    for unit in table_units(atlas, marks, ""):
        for path, data in unit.render().items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(data)
    assert len(list((tmp_path / "data/table").iterdir())) == -(-len(atlas.runs) // together)
    mixing = mixed_in_the_index()
    assert mixing
    (tmp_path / "data/mixing.json").write_text(json.dumps(mixing))
    done = subprocess.run(
        [NODE, "--test", "--test-reporter=tap", str(Path(__file__).with_name("queries.test.mjs"))],
        env={**os.environ, "QUERIES": str(FILE), "DATA": str(tmp_path / "data")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = done.stdout.partition("not ok")[2]
    assert done.returncode == 0, failed[:3000] or done.stderr
    assert f"# pass {len(questions()) + 7}" in done.stdout


def test_the_site_knows_the_fields_of_every_run() -> None:
    script = (ROOT / "site/docs/assets/ledger/query/names.js").read_text("utf-8")
    listed = script.partition("const FIELDS = [")[2].partition("]")[0]
    assert set(re.findall(r'"(\w+)"', listed)) == set(FIELDS)
