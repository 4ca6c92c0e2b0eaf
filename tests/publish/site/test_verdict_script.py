"""The compare page judges two settings as `ledger judge` does: the same questions, asked of both."""

import json
import math
import random
import subprocess
from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest
from scipy.special import stdtr

from ledger.analysis.comparing.comparable import Group
from ledger.analysis.judging.judgement import Tried, gather, verdict_on
from ledger.analysis.judging.noise import Repeats
from ledger.analysis.judging.verdict import Question, Verdict, decide
from ledger.errors import UsageError
from ledger.model.boxes.code import Code
from ledger.model.boxes.inputs import Params
from ledger.model.boxes.outputs import Metric, Results
from ledger.model.entries import Contents, StoredRun
from ledger.model.values import Number
from ledger.publish.data.comparison_data import ComparisonScript, render_comparison_data
from ledger.publish.data.search_columns import RunColumns, TableHead
from ledger.publish.data.search_data import render_head, render_part
from ledger.publish.site.site_data import board_name, survey
from tests.browser.chromium import NODE
from tests.conftest import ROOT
from tests.minimal import minimal_record

QUESTIONS = 3000


def asked(**questions: object) -> Mapping[str, Sequence[Any]]:
    """Return the answers of the script."""
    script = Path(__file__).with_name("verdict_answers.mjs")
    done = subprocess.run(
        [NODE, str(script)],
        cwd=ROOT,
        input=json.dumps({"decided": [], "tails": [], "chosen": [], **questions}),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: Mapping[str, Sequence[Any]] = json.loads(done.stdout)
    return answers


def repeats(values: Sequence[float]) -> Repeats:
    return Repeats(runs=tuple(map(str, range(len(values)))), values=tuple(values))


def test_thousands_of_pairs_of_settings_get_the_answers_of_judge() -> None:
    draw = random.Random(20261129)  # noqa: S311  # questions, no secrets
    questions: list[dict[str, Any]] = []
    for _ in range(QUESTIONS):
        width = draw.choice([0.0, 1e-9, 1e-3, 0.02, 5.0])
        middle = draw.choice([0.9, 0.02, 1234.5])
        apart = draw.choice([0, 0.5, 1, 2, 3, 5, 20, -1, -4]) * (width or 1e-3)
        ours = [middle + apart + draw.gauss(0, width) for _ in range(draw.choice([1, 1, 2, 3, 4, 5, 8, 12]))]
        theirs = [middle + draw.gauss(0, width) for _ in range(draw.choice([1, 1, 2, 3, 4, 5, 8, 12]))]
        freedom = draw.choice([0, 1, 3, 10, 200])
        total = freedom * width**2 * draw.choice([0.01, 1, 1, 1, 50]) if freedom else 0.0
        questions.append(
            {
                "ours": ours,
                "theirs": theirs,
                "others": [total, freedom],
                "higher": draw.random() < 0.5,
                "trials": draw.choice([1, 2, 12, 1000]),
            }
        )
    told = [
        decide(
            repeats(one["ours"]),
            repeats(one["theirs"]),
            (one["others"][0], one["others"][1]),
            Question(higher=one["higher"], trials=one["trials"]),
        )
        for one in questions
    ]
    answers = asked(decided=questions)["decided"]
    for question, verdict, answer in zip(questions, told, answers, strict=True):
        assert (answer["answer"], answer["why"]) == (verdict.answer, verdict.why), question
        assert answer["effect"] == pytest.approx(verdict.effect, rel=1e-9, abs=1e-12)
        for end in ("low", "high"):
            expected = getattr(verdict, end)
            assert answer[end] == (None if expected is None else pytest.approx(expected, rel=1e-8, abs=1e-12)), question
    said = {(answer["answer"], answer["word"]) for answer in answers}
    assert said == {
        ("keep", "better"), ("discard", "worse"), ("discard", "within noise"), ("cannot tell", "cannot tell"),
    }  # fmt: skip
    assert len({verdict.why for verdict in told}) >= 8, "every reason is asked for"


def test_the_tail_of_students_law_is_that_of_scipy() -> None:
    points = [
        (freedom, t)
        for freedom in (1, 2.5, 3, 10, 47.3, 200, 5000)
        for t in (-40, -3, -0.1, 0, 1e-6, 0.5, 2, 6.3, 30, 400)
    ]
    answers = asked(tails=points)["tails"]
    for (freedom, t), answer in zip(points, answers, strict=True):
        assert answer == pytest.approx(float(stdtr(freedom, -t)), rel=1e-10, abs=1e-300), (freedom, t)


def run(at: int, setting: int, value: Number, **changes: Any) -> StoredRun:
    metric = Metric(
        name="accuracy",
        split="validation",
        value=value,
        direction=changes.pop("direction", "higher"),
        dataset="d@v1",
        dataset_hash=changes.pop("data", "blake3:" + "1" * 64),
    )
    record = minimal_record(
        id=f"20261120-19{at // 60:02}{at % 60:02}-abcdef",
        params=Params(values={"width": setting}),
        seed=changes.pop("seed", at),
        code=Code(commit="git:" + "a" * 40, tree="git:" + "b" * 40),
        results=Results(metrics=[metric], headline="validation/accuracy"),
        **changes,
    )
    return StoredRun(record=record, path="runs/x", files={})


def ledger_of_every_kind() -> list[StoredRun]:
    """Return settings with one, several, equal, lost and repeated values, and runs that do not count."""
    values: dict[int, list[Number]] = {
        1: [0.91], 2: [0.95, 0.951, 0.949, 0.952, 0.95], 3: [0.80, 0.81, 0.79], 4: [0.9501, 0.9502],
        5: [0.7, 0.7, 0.7], 6: [0.99, "NaN"], 7: ["NaN"], 8: [0.9512345678, 0.9487654321, 0.95, 0.951, 0.9499],
        9: [91.0],
    }  # fmt: skip
    runs = [
        run(at * 10 + nth, setting, value)
        for at, (setting, own) in enumerate(values.items())
        for nth, value in enumerate(own)
    ]
    runs.append(run(95, 4, 0.96, seed=30))  # the seed of another
    runs.append(run(96, 10, 0.999, status="failed", exit_code=1))
    runs.append(run(97, 11, 0.93, data="blake3:" + "2" * 64))
    return runs


def judged(runs: Sequence[StoredRun], ours: str, theirs: str, group: Group) -> Verdict | None:
    tried: Tried | None = gather(runs).get(group.id)
    try:
        return verdict_on(ours, theirs, tried) if tried else None
    except UsageError:
        return None


def inside(script: bytes) -> bytes:
    return script[script.index(b", ") + 2 : -len(b");\n")]


def test_what_the_site_sends_gives_the_verdict_of_judge_for_every_pair_of_runs() -> None:
    runs = ledger_of_every_kind()
    atlas = survey(Contents(tip="1" * 40, runs=tuple(runs)), [], None)
    columns = msgspec.json.decode(inside(render_part("0", atlas.runs[::-1], atlas, lambda name: name)), type=RunColumns)
    head = msgspec.json.decode(inside(render_head(atlas, [])), type=TableHead)
    sent = msgspec.json.decode(inside(render_comparison_data(atlas)), type=ComparisonScript)
    assert (sent.rows, sent.newest) == (columns.rows, columns.id[0])
    board = next(board.group for board in atlas.boards if board.group.dataset_hash == "blake3:" + "1" * 64)
    questions: list[dict[str, Any]] = []
    told = []
    metric = next(one for one in head.metrics if one.id == board_name(board))
    column = next(one for one in columns.metrics if one.id == metric.id)
    assert column.rows is None
    values = [float(value) if isinstance(value, str) else value for value in column.values]
    group = next(one for one in sent.groups if one.id == metric.id)
    shown: dict[str, Any] = {"key": metric.key, "known": metric.known, "direction": metric.direction}
    shown["values"] = [None if value is None or math.isnan(value) else value for value in values]
    status = [columns.status.words[code] for code in columns.status.codes]
    for row, against in permutations(range(len(runs)), 2):
        question: dict[str, Any] = {"setting": columns.setting, "status": status, "id": columns.id}
        questions.append(
            {"data": question, "metric": shown, "group": msgspec.to_builtins(group), "row": row, "against": against}
        )
        told.append(judged(runs, columns.id[row], columns.id[against], board))
    answers = asked(chosen=questions)["chosen"]
    for question, verdict, answer in zip(questions, told, answers, strict=True):
        pair = columns.id[question["row"]], columns.id[question["against"]]
        if verdict is None:
            assert answer["word"] == "not comparable", (pair, answer)
        else:
            assert (answer["effect"], answer["why"]) == (pytest.approx(verdict.effect, rel=1e-5), verdict.why), pair
    assert {answer["word"] for answer in answers} == {
        "better", "worse", "within noise", "cannot tell", "not comparable",
    }  # fmt: skip
