"""Answers for every entry ever made: the branch only grew, and what it holds is what it says.

History is walked commit by commit against every parent; the documents at the tip are read and their
hashes taken again. What a shallow or partial clone cannot show is said, not passed over.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.errors import NotFound
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.entries import Contents, DatasetVersion, Run
from ledger.model.values import Document, slug
from ledger.repository.walk import Change, Step, walk
from ledger.store.ledger import Ledger

_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        r"format",
        r"policy\.yaml",
        r"runs/\d{4}/\d\d/\d\d/[0-9a-z-]{22}/(record\.json|environment\.json|curves\.csv|log\.txt|code\.patch)",
        r"runs/\d{4}/\d\d/\d\d/[0-9a-z-]{22}/figures/[a-z0-9._-]+\.(png|svg)",
        r"datasets/[a-z0-9._-]+/[a-z0-9._-]+/(dataset\.json|manifest\.jsonl)",
        r"notes/\d{4}/\d\d/\d\d/[0-9a-z-]{22}\.json",
        r"evaluations/\d{4}/\d\d/\d\d/[0-9a-z-]{22}\.json",
    )
)
"""Every path that an entry may have."""

_REGULAR = "100644"
_CLOCK_SKEW = timedelta(days=1)
"""How far the clocks of two honest machines may be apart."""


class Finding(Document, frozen=True, kw_only=True):
    """Something that should not be so."""

    path: str
    """Path on the branch, or the ref."""
    message: str
    """What is wrong, and what it means."""
    commit: str | None = None
    """Commit that did it, where one did."""


class Verdict(Document, frozen=True, kw_only=True):
    """What verification found."""

    tip: str | None
    """Commit that was verified; none for a ledger without entries."""
    commits: int
    """Commits walked."""
    entries: int
    """Runs, dataset versions, evaluations and notes read."""
    findings: tuple[Finding, ...]
    """What is wrong; empty when all is well."""
    open: tuple[str, ...]
    """What this clone cannot tell, and why."""

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong with what could be seen."""
        return not self.findings


def verify(ledger: Ledger, read_blob: Callable[[str], bytes], since: str | None = None) -> Verdict:
    """Verify the whole ledger; a clean one is remembered, so that a rewound branch is noticed the next time.

    Args:
        ledger: the ledger.
        read_blob: blob id to content.
        since: walk only the history after this commit; the documents are read all the same.

    Raises:
        NotFound: `since` is no commit of this repository.
        LedgerError: the history or the branch cannot be read at all.
    """
    tip = ledger.tip()
    if tip is None:
        return Verdict(tip=None, commits=0, entries=0, findings=_against_memory(ledger, None), open=())
    start = ledger.repository.resolve(since) if since else None
    if since and start is None:
        raise NotFound(f"no such commit: `{since}`")
    steps = list(walk(ledger.repository, tip, start))
    contents = ledger.contents()
    tree = {file.path: file.blob for file in ledger.repository.read_tree(tip)}
    findings = [
        *_against_memory(ledger, tip),
        *_of_history(steps, whole=start is None),
        *(Finding(path=problem.path, message=problem.message) for problem in contents.problems),
        *_of_contents(contents, _Hashes(tree, read_blob), _dates(steps)),
    ]
    if not findings:
        _remember(ledger, tip)
    later = sum(len(run.evaluations) + len(run.notes) for run in contents.runs)
    entries = len(contents.runs) + len(contents.datasets) + later
    return Verdict(
        tip=tip, commits=len(steps), entries=entries, findings=tuple(findings), open=tuple(_unseen(ledger, contents))
    )


def _of_history(steps: Sequence[Step], *, whole: bool) -> Iterator[Finding]:
    roots = [step for step in steps if not step.parents]
    for extra in roots[:-1] if whole else roots:
        yield Finding(path="", commit=extra.commit, message="a second beginning: two histories were joined")
    for step in steps:
        for change in step.changes:
            if message := _wrong_with(change):
                yield Finding(path=change.path, commit=step.commit, message=message)


def _wrong_with(change: Change) -> str | None:
    if change.status == "D":
        return "removed; entries are never removed, a correction is a new entry"
    if change.status != "A" and change.path != paths.POLICY_FILE:
        return "changed after it was added; entries never change, a correction is a new entry"
    if change.mode != _REGULAR:
        return f"not a regular file (mode {change.mode})"
    if not any(shape.fullmatch(change.path) for shape in _SHAPES):
        return "no entry has a path like this"
    return None


class _Hashes:
    """Takes the hash of a file on the branch, each content once."""

    def __init__(self, tree: dict[str, str], read_blob: Callable[[str], bytes]) -> None:
        self.tree = tree
        self._read_blob = read_blob
        self._taken: dict[str, str] = {}

    def of(self, path: str) -> str | None:
        """Return the content hash of a path, none when it is not there."""
        blob = self.tree.get(path)
        if blob is None:
            return None
        if blob not in self._taken:
            self._taken[blob] = hash_bytes(self._read_blob(blob))
        return self._taken[blob]


def _of_contents(contents: Contents, hashes: _Hashes, dates: dict[str, datetime]) -> Iterator[Finding]:
    known = {run.record.id for run in contents.runs}
    for run in contents.runs:
        yield from _of_files(run, hashes)
        yield from _of_record(run, known, dates.get(f"{run.path}/{paths.RECORD_FILE}"))
    for version in contents.datasets:
        yield from _of_dataset(version, contents, hashes)


def _of_files(run: Run, hashes: _Hashes) -> Iterator[Finding]:
    record = run.record
    results = record.results
    promised = {figure.file: figure.hash for figure in results.figures}
    if record.code.patch:
        promised[record.code.patch.file] = record.code.patch.hash
    if record.environment.hash:
        promised[record.environment.file] = record.environment.hash
    if results.curves:
        promised[results.curves.file] = results.curves.hash
    for name, expected in promised.items():
        found = hashes.of(f"{run.path}/{name}")
        if found is None:
            yield Finding(path=f"{run.path}/{name}", message="the record names this file, and it is not there")
        elif found != expected:
            yield Finding(path=f"{run.path}/{name}", message=f"its content is not what the record says: `{found}`")
    for name in sorted(set(run.files) - set(promised) - {paths.RECORD_FILE, paths.LOG_FILE}):
        yield Finding(path=f"{run.path}/{name}", message="the record does not name this file")


def _of_record(run: Run, known: set[str], committed: datetime | None) -> Iterator[Finding]:
    record, path = run.record, f"{run.path}/{paths.RECORD_FILE}"
    for field, named in (("parent", record.parent), ("baseline", record.baseline)):
        if named is not None and named not in known:
            yield Finding(path=path, message=f"{field}: no such run: `{ascii(named)[1:-1]}`")
    timing = record.timing
    if timing.ended_at < timing.started_at or timing.duration_seconds < 0:
        yield Finding(path=path, message="timing: it ended before it started")
    if committed is not None and timing.recorded_at > committed + _CLOCK_SKEW:
        yield Finding(path=path, message="timing: it was recorded more than a day after it was committed")


def _of_dataset(version: DatasetVersion, contents: Contents, hashes: _Hashes) -> Iterator[Finding]:
    folder = paths.dataset_path(version.name, version.version)
    manifest = f"{folder}/{paths.MANIFEST_FILE}"
    found = hashes.of(manifest)
    if found is None:
        yield Finding(path=manifest, message="the version has no manifest")
    elif found != version.hash:
        yield Finding(path=manifest, message=f"its content is not what the version says: `{found}`")
    siblings = {other.version for other in contents.datasets if other.name == version.name}
    if version.parent is not None and version.parent not in siblings:
        said = ascii(version.parent)[1:-1]
        yield Finding(path=f"{folder}/{paths.DATASET_FILE}", message=f"parent: no such version: `{said}`")


def _dates(steps: Sequence[Step]) -> dict[str, datetime]:
    return {
        change.path: datetime.fromtimestamp(step.seconds, tz=UTC)
        for step in steps
        for change in step.changes
        if change.status == "A"
    }


def _unseen(ledger: Ledger, contents: Contents) -> Iterator[str]:
    """Say what this clone cannot tell."""
    repository = ledger.repository
    if (repository.common_dir / "shallow").exists():
        yield "this clone is shallow: what came before its oldest commit was not walked; git fetch --unshallow"
    if (repository.common_dir / "info" / "grafts").exists():
        yield "this repository has grafts: they were ignored, and other tools may show another history"
    commits = {run.record.code.commit.removeprefix("git:") for run in contents.runs if run.record.code.commit}
    names = sorted(commits)
    missing = sum(content is None for content in repository.read_objects(names)) if names else 0
    if missing:
        yield f"{missing} of {len(names)} code commits are not in this clone; git fetch origin 'refs/ledger/code/*'"


def _memory(ledger: Ledger) -> tuple[str, Path]:
    """Return the commit remembered as clean, empty when there is none, and the file that remembers it."""
    file = ledger.repository.state_dir / f"verified-{slug(ledger.branch)}"
    try:
        return file.read_text("ascii").strip(), file
    except (OSError, UnicodeDecodeError):
        return "", file


def _remember(ledger: Ledger, tip: str) -> None:
    _, file = _memory(ledger)
    with contextlib.suppress(OSError):  # a read-only clone verifies all the same
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{tip}\n", encoding="ascii")


def follow(ledger: Ledger, tip: str) -> None:
    """Forget what was remembered as clean where `sync` has just made those commits again on top of others'."""
    before, file = _memory(ledger)
    if before and ledger.repository.git.attempt("merge-base", "--is-ancestor", before, tip)[0]:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _against_memory(ledger: Ledger, tip: str | None) -> tuple[Finding, ...]:
    before, _ = _memory(ledger)
    if not re.fullmatch(r"[0-9a-f]{40,64}", before):
        return ()
    if tip is not None:
        code, _, _ = ledger.repository.git.attempt("merge-base", "--is-ancestor", before, tip)
        if code == 0:
            return ()
    message = "the branch no longer contains the commit that was last verified: it was rewound or rewritten"
    return (Finding(path=ledger.ref, commit=before, message=message),)
