"""The check of documents against the branch: hashes, references, times."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from ledger.errors import InvalidDocument
from ledger.model import paths
from ledger.model.entries import Contents, DatasetVersion, Redaction, StoredRun
from ledger.model.ids import is_id
from ledger.model.record import Record
from ledger.store.branch.manifests import group_shards, join_shards
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.redaction_proof import Steps, circle_in, shows_mark
from ledger.store.integrity.side_contents import Side, contradictions, look_at
from ledger.store.integrity.signatures import document_of, is_signature

_CLOCK_SKEW = timedelta(days=1)
"""Largest difference between the clocks of two honest machines."""


class Hashes:
    """Computes the hash of files on the branch, of each content once.

    Args:
        tree: blob id by path.
        read_blob: returns the content of a blob id.
        beyond: returns whether a path outside of the tree, which may be partial, is on the branch.
        taken: facts of blobs that were read already, by blob id.
    """

    def __init__(
        self,
        tree: Mapping[str, str],
        read_blob: Callable[[str], bytes],
        beyond: Callable[[str], bool] = lambda _path: False,
        taken: Mapping[str, Side] | None = None,
    ) -> None:
        self.tree = tree
        self._read_blob = read_blob
        self._beyond = beyond
        self._taken: dict[str, Side] = dict(taken or {})

    def of(self, path: str) -> str | None:
        """Return the content hash of a path; none when it does not exist."""
        side = self.side(path)
        return None if side is None else side.hash

    def side(self, path: str) -> Side | None:
        """Return the facts of the file at a path; none when it does not exist."""
        blob = self.tree.get(path)
        if blob is None:
            return None
        if blob not in self._taken:
            self._taken[blob] = look_at([path], self._read_blob(blob))
        return self._taken[blob]

    def there(self, path: str) -> bool:
        """Return whether a path exists."""
        return path in self.tree or self._beyond(path)

    def content(self, path: str) -> bytes:
        """Return the content of a path that exists."""
        return self._read_blob(self.tree[path])


def check_contents(
    contents: Contents, hashes: Hashes, replaced: Steps, dates: Mapping[str, datetime]
) -> Iterator[Finding]:
    """Yield statements of documents that are not true.

    Args:
        contents: the documents to check.
        hashes: hashes of every file on the branch.
        replaced: replacements that redactions made.
        dates: commit time by path, where known.
    """
    for run in contents.runs:
        yield from _of_files(run, hashes, replaced)
        yield from _of_record(run, hashes, dates.get(f"{run.path}/{paths.RECORD_FILE}"))
    shards = group_shards(hashes.tree)
    for version in contents.datasets:
        folder = paths.shards_path(version.name, version.version)
        yield from _of_dataset(version, hashes, replaced, shards.get(folder, []))


def check_redactions(
    redactions: Mapping[str, Redaction], hashes: Hashes, replaced: Steps, contains: Callable[[str], bool]
) -> Iterator[Finding]:
    """Yield tombstones that contradict the branch."""
    if circle_in(list(redactions.values())):
        said = "the replacements that redactions name form a circle"
        yield Finding(rule="redaction", path=next(iter(redactions)), message=said)
    touched = {(path, document_of(path)) for path in replaced.paths}
    for path, redaction in redactions.items():
        if not contains(replaced.last_commit(redaction.after)):
            said = "the history does not contain the commit that it is based on"
            yield Finding(rule="redaction", path=path, message=said)
        for file in redaction.files:
            yield from _of_redacted(file.path, replaced.now(file.path, file.after), hashes)
            owner = document_of(file.path)
            alone = all(owner != other or is_signature(one) for one, other in touched)
            if is_signature(file.path) and alone:
                said = "a redaction removed this signature, but changed nothing that it signs"
                yield Finding(rule="redaction", path=file.path, message=said)


def _of_redacted(path: str, expected: str, hashes: Hashes) -> Iterator[Finding]:
    if hashes.of(path) != expected:
        said = "it was redacted, but its content is not what the redaction left"
        yield Finding(rule="redaction", path=path, message=said)
    elif not shows_mark(hashes.content(path), path):
        said = "a redaction is said to have removed something from it, but nothing in it shows that"
        yield Finding(rule="redaction", path=path, message=said)


def _promised(record: Record) -> dict[str, str]:
    """Return the files beside a record that it names, with their hashes."""
    results = record.results
    promised = {figure.file: figure.hash for figure in results.figures}
    promised |= {table.file: table.hash for table in record.statistics.tables}
    if record.code.patch:
        promised[record.code.patch.file] = record.code.patch.hash
    if record.code.notebook:
        promised[record.code.notebook.file] = record.code.notebook.hash
    if record.environment.hash:
        promised[record.environment.file] = record.environment.hash
    if results.curves:
        promised[results.curves.file] = results.curves.hash
    return promised


def _of_files(run: StoredRun, hashes: Hashes, replaced: Steps) -> Iterator[Finding]:
    record, promised = run.record, _promised(run.record)
    for name, expected in promised.items():
        path = f"{run.path}/{name}"
        found = hashes.side(path)
        if found is None:
            yield Finding(rule="content", path=path, message="the record names this file, but it is missing")
        elif found.hash != replaced.now(path, expected):
            yield Finding(rule="content", path=path, message=f"its content is not what the record says: `{found.hash}`")
        elif found.hash == expected:  # not the content that a redaction put there
            wrong = [*contradictions(record, name, found), *((None, message) for message in found.wrong)]
            yield from (Finding(rule="content", path=path, field=field, message=message) for field, message in wrong)
    unnamed = sorted(set(run.files) - set(promised) - {paths.RECORD_FILE, paths.LOG_FILE})
    for name in unnamed:
        if not is_signature(f"{run.path}/{name}"):
            yield Finding(rule="content", path=f"{run.path}/{name}", message="the record does not name this file")


def _of_record(run: StoredRun, hashes: Hashes, committed: datetime | None) -> Iterator[Finding]:
    record, path = run.record, f"{run.path}/{paths.RECORD_FILE}"
    for field, named in (("parent", record.parent), ("baseline", record.baseline)):
        if named is not None and not _is_there(named, hashes):
            # A run may name a run that was never recorded; recording keeps the name, so this is reported and allowed.
            message = f"{field}: no such run: `{ascii(named)[1:-1]}`"
            yield Finding(rule="reference", severity="warning", path=path, field=field, message=message)
    timing = record.timing
    if timing.ended_at < timing.started_at or (timing.took or 0.0) < 0:
        yield Finding(rule="plausible", path=path, message="timing: it ended before it started")
    if committed is not None and timing.recorded_at > committed + _CLOCK_SKEW:
        yield Finding(
            rule="plausible", path=path, message="timing: it was recorded more than a day after it was committed"
        )


def _is_there(run_id: str, hashes: Hashes) -> bool:
    return is_id(run_id) and hashes.there(f"{paths.run_path(run_id)}/{paths.RECORD_FILE}")


def _of_dataset(version: DatasetVersion, hashes: Hashes, replaced: Steps, shards: Sequence[str]) -> Iterator[Finding]:
    folder = paths.dataset_path(version.name, version.version)
    manifest = f"{folder}/{paths.MANIFEST_FILE}"
    found = hashes.of(manifest)
    if found is None and shards:
        yield from _of_shards(version, hashes, replaced, shards)
    elif found is None:
        yield Finding(rule="content", path=manifest, message="the version has no manifest")
    elif found != replaced.now(manifest, version.hash):
        yield Finding(rule="content", path=manifest, message=f"its content is not what the version says: `{found}`")
    for picture in version.change.pictures if version.change is not None else ():
        yield from _of_picture(f"{folder}/{picture.file}", picture.hash, hashes, replaced)
    parent = version.parent
    if parent is not None and not hashes.there(f"datasets/{version.name}/{parent}/{paths.DATASET_FILE}"):
        said = ascii(parent)[1:-1]
        yield Finding(
            rule="reference",
            field="parent",
            path=f"{folder}/{paths.DATASET_FILE}",
            message=f"parent: no such version: `{said}`",
        )


def _of_picture(path: str, expected: str, hashes: Hashes, replaced: Steps) -> Iterator[Finding]:
    found = hashes.side(path)
    if found is None:
        yield Finding(rule="content", path=path, message="the version names this picture, but it is missing")
    elif found.hash != replaced.now(path, expected):
        yield Finding(rule="content", path=path, message=f"its content is not what the version says: `{found.hash}`")
    elif found.hash == expected:
        yield from (Finding(rule="content", path=path, message=message) for message in found.wrong)


def _of_shards(version: DatasetVersion, hashes: Hashes, replaced: Steps, shards: Sequence[str]) -> Iterator[Finding]:
    folder = paths.shards_path(version.name, version.version)
    if any(path in replaced.paths for path in shards):
        return  # a redacted listing is none any more; `check_redactions` covers it
    try:
        found = join_shards(map(hashes.content, shards), folder).hash
    except InvalidDocument as error:
        yield Finding(rule="content", path=folder, message="; ".join(error.problems))
        return
    if found != version.hash:
        yield Finding(rule="content", path=folder, message=f"its content is not what the version says: `{found}`")
