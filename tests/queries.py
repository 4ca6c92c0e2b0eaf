"""The questions of `queries.json`: runs with awkward values, what is asked, and which of them answer."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from ledger.model.document import dump, load
from ledger.model.entries import Evaluation, Note, StoredRun
from ledger.model.paths import run_path
from ledger.model.record import Record

FILE = Path(__file__).with_name("queries.json")
_SAID = {"format": 1, "tool": "git-ledger 0.1.0", "author": {"name": "Kim Doe", "email": "kim@example.org"}}
_AT = "2026-12-02T00:00:00Z"


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query and what it gives."""

    ask: str
    """The query."""
    runs: list[str] | None = None
    """First letter of the last part of each id, oldest first; none where it is refused."""
    error: str | None = None
    """First line of the error."""
    warnings: list[str] = []
    """What is said about how its names were read."""


@cache
def questions() -> list[Question]:
    """Return the questions."""
    return msgspec.convert(json.loads(FILE.read_text(encoding="utf-8"))["questions"], list[Question])


@cache
def question_runs() -> list[StoredRun]:
    """Return the runs, oldest first."""
    return [_run(run) for run in json.loads(FILE.read_text(encoding="utf-8"))["runs"]]


def letter(run: StoredRun) -> str:
    """Return what questions call a run."""
    return run.record.id[16]


def _run(written: dict[str, Any]) -> StoredRun:  # Any: JSON
    empty: dict[str, dict[str, str]] = {box: {} for box in Record.__struct_fields__ if box in _BOXES}
    timing = {"recorded_at": _AT, **written["record"]["timing"]}
    record = msgspec.convert({**_SAID, **empty, **written["record"], "timing": timing}, Record)
    about = {**_SAID, "run": record.id}
    evaluations = [
        msgspec.convert({**about, "evaluated_at": _AT, **one}, Evaluation) for one in written.get("evaluations", ())
    ]
    notes = [msgspec.convert({**about, "noted_at": _AT, **one}, Note) for one in written.get("notes", ())]
    return StoredRun(
        record=load(dump(record), Record, source="queries.json"),
        path=run_path(record.id),
        files={"record.json": "0" * 40},
        evaluations=tuple(evaluations),
        notes=tuple(notes),
    )


_BOXES = {"code", "params", "datasets", "hardware", "environment", "cost", "model", "logs", "results", "statistics"}
