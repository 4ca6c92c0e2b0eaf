"""Commit messages, so that `git log ledger` reads like a ledger."""

from collections.abc import Sequence

from ledger import __version__
from ledger.formatting import duration, number
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import Case, DatasetVersion, Evaluation, Note
from ledger.model.hosts import HostDay, hours_of
from ledger.model.record import Author, Record
from ledger.model.values import ORIGIN_MARK, NoteKind, counted, is_plain_text

TOOL = f"git-ledger {__version__}"
"""Name and version of the tool, which every entry carries."""


def record_message(record: Record, path: str) -> str:
    """Return the message of the commit that adds a record."""
    headline = record.headline
    said = f"{headline.key} {shown(headline)}" if headline else "no metric"
    if record.status != "finished":
        why = f"{record.status}: {record.reason}" if record.reason else record.status
        said = f"{record.status}, {said}" if headline else why
    after = "" if (took := record.timing.took) is None else f" after {duration(took)}"
    body = [f"{record.status}{after}{f': {record.reason}' if record.reason else ''}"]
    body += [f"{metric.key} {shown(metric)}{_on(metric)}" for metric in record.results.metrics[:10]]
    if record.code.commit:
        patch = record.code.patch
        changes = f" with uncommitted changes in {counted(patch.files, 'file')}" if patch else ""
        body.append(f"code {record.code.commit.removeprefix('git:')[:12]}{changes}")
    return _message(f"run {record.experiment}: {said} ({record.id})", body, path, record.code.commit)


def evaluation_message(evaluation: Evaluation, path: str) -> str:
    """Return the message of the commit that adds an evaluation."""
    first = evaluation.metrics[0]
    subject = f"evaluation of {evaluation.run}: {first.key} {shown(first)}{_on(first)}"
    body = [f"{metric.key} {shown(metric)}{_on(metric)}" for metric in evaluation.metrics[:10]]
    return _message(subject, body, path, None)


_NOTED: dict[NoteKind, str] = {
    "comment": "note on",
    "tag": "tag of",
    "untag": "tag taken from",
    "retraction": "retraction of",
    "baseline": "baseline is",
    "retirement": "retirement of",
    "milestone": "milestone of",
    "acceptance": "acceptance of",
    "rejection": "rejection of",
    "retest": "retest of",
    "continued": "continuation of",
    "continues": "earlier attempt of",
    "question": "question of",
    "hypothesis": "hypothesis of",
    "conclusion": "conclusion of",
}


def note_message(note: Note, path: str) -> str:
    """Return the message of the commit that adds a note."""
    said = _NOTED[note.kind]
    stage = "" if note.stage is None else f"stage {note.stage}{f' of {note.model}' if note.model else ''}: "
    about = note.dataset or note.experiment or note.run
    return _message(f"{said} {about}: {stage}{note.text.splitlines()[0]}", [], path, None)


def case_message(case: Case, path: str) -> str:
    """Return the message of the commit that registers a case."""
    what = f"{case.override} answer" if case.override else f"{case.severity} case"
    return _message(f"{what} of {case.dataset}: {case.input.splitlines()[0]} is {case.expected}", [], path, None)


def host_message(day: HostDay, path: str) -> str:
    """Return the message of the commit that adds a day of a host."""
    held = sum(sum(hours_of(gpu.held)) for gpu in day.gpus)
    said = f"{counted(len(day.gpus), 'GPU')}, {duration(held * 60.0)} held idle" if held else "no GPU held idle"
    return _message(f"host {day.host} on {day.started_at:%Y-%m-%d}: {said}", [], path, None)


def dataset_message(version: DatasetVersion, path: str) -> str:
    """Return the message of the commit that adds a dataset version."""
    change = version.change
    said = f": {version.reason.splitlines()[0]}" if version.reason and version.reason.strip() else ""
    body = [f"{counted(version.files, 'file')}, {version.bytes} bytes, {version.hash[:23]}"]
    if change:
        body.append(
            f"against {change.parent}: {change.added} added, {change.removed} removed, {change.changed} changed,"
            f" {change.relabelled} relabelled"
        )
    return _message(f"dataset {version.label}{said}", body, path, None)


def signature_message(documents: Sequence[str], author: Author) -> str:
    """Return the message of the commit that adds signatures."""
    said = documents[0] if len(documents) == 1 else f"{len(documents)} entries"
    return _message(f"signature of {said} by {author.name}", [], documents[0], None)


def closing_line(record: Record) -> str:
    """Return the last line of output of every way of recording: the id, the headline, the next command."""
    headline = record.headline
    mark = ORIGIN_MARK[headline.origin] if headline else ""
    said = f"{headline.key} {shown(headline)}{mark}" if headline else record.status
    if record.status == "failed" and record.reason:
        said = f"failed: {_plain(record.reason)}"
    return f"recorded {record.id}: {said}; next: ledger show {record.id[16:]}"


def shown(metric: Metric) -> str:
    """Return a metric's value for people: at least four significant digits, and no false precision."""
    return number(metric.number)


def _on(metric: Metric) -> str:
    return f" on {metric.dataset}" if metric.dataset else ""


def _message(subject: str, body: list[str], path: str, commit: str | None) -> str:
    trailers = [f"Ledger-Entry: {path}", f"Ledger-Tool: {TOOL}"]
    if commit:
        trailers.append(f"Source-Commit: {commit.removeprefix('git:')}")
    lines = [subject, "", *body, "", *trailers]
    return "\n".join(_plain(line) for line in lines) + "\n"


def _plain(line: str) -> str:
    return "".join(character if is_plain_text(character) else " " for character in line)[:500]
