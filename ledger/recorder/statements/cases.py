"""Cases that every model must pass, and rules in front of models: registered once, part of every later version."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.datasets import CaseResult, Severity
from ledger.model.document import dump
from ledger.model.entries import CASE_FORMAT, Case
from ledger.model.ids import new_id
from ledger.recorder.message import TOOL, case_message
from ledger.recorder.record.redaction import check_open_name, redact_document, redactor_for
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry

TEXT_LENGTH = 10_000


def add_case(
    ledger: Branch,
    dataset: str,
    *,
    shown: str,
    expected: str,
    severity: Severity = "medium",
    override: str | None = None,
    origin: str | None = None,
    triage: str | None = None,
) -> Case:
    """Register a case and return it; a second one with the same input and answer is refused.

    Args:
        ledger: the ledger.
        dataset: name of the dataset that it becomes part of.
        shown: input of the model: a path inside the dataset, or the input itself.
        expected: the answer.
        severity: how serious another answer is.
        override: `always` or `never` this answer, as a rule in front of the model.
        origin: where it was observed.
        triage: `bug` or `error`.

    Raises:
        LedgerError: a text is empty or too long, or the case exists already.
    """
    redactor = redactor_for(ledger)
    texts = {"input": shown, "expected": expected, **({"origin": origin} if origin is not None else {})}
    for field, text in texts.items():
        if not text.strip() or len(text) > TEXT_LENGTH:
            raise LedgerError(f"{field} of a case is empty, or longer than {TEXT_LENGTH} characters")
    now, author = datetime.now(UTC), ledger.author()
    case = Case(
        format=CASE_FORMAT,
        id=new_id(now, os.urandom(4)),
        dataset=check_open_name("dataset name", dataset, redactor),
        input=redactor.text(shown),
        expected=redactor.text(expected),
        severity=severity,
        override="always" if override == "always" else "never" if override == "never" else None,
        origin=redactor.text(origin) if origin else None,
        triage="bug" if triage == "bug" else "error" if triage == "error" else None,
        author=author,
        added_at=now,
        tool=TOOL,
    )
    case = redact_document(case, redactor)
    for known in cases_of(ledger, dataset):
        if (known.input, known.override) == (case.input, case.override):
            raise LedgerError(
                f"this input has a case already, which expects `{known.expected}`: `{known.id}`",
                hint=f"ledger case list {dataset}",
            )
    path = paths.case_path(case.dataset, case.id)
    message = redactor.text(case_message(case, path))
    ledger.append(Entry(id=case.id, files={path: dump(case)}, message=message, author=author, made_at=now))
    return case


def cases_of(ledger: Branch, dataset: str | None = None) -> list[Case]:
    """Return the cases and overrides of a dataset, or of all, oldest first.

    Raises:
        LedgerError: git cannot read the branch.
    """
    return [case for case in ledger.contents().cases if dataset is None or case.dataset == dataset]


def judge(cases: Sequence[Case], answers: Mapping[str, object]) -> list[CaseResult]:
    """Return the results of a model on the cases that it answered; overrides do not test a model.

    Args:
        cases: all cases of the dataset.
        answers: the model's answer by case id; compared as text, ignoring surrounding spaces.
    """
    results = []
    for case in cases:
        if case.override is None and case.id in answers:
            answer = _text(answers[case.id])
            results.append(
                CaseResult(case=case.id, passed=answer == case.expected.strip(), answer=answer[:TEXT_LENGTH])
            )
    return results


def _text(answer: object) -> str:
    if isinstance(answer, bool):
        return str(answer).lower()
    return str(answer).strip()
