"""The check of a proposal's contents: each object is read once, for all rules that depend on content."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import msgspec

from ledger.capture.secrets.redactor import find_secrets
from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.document import load, uncollected
from ledger.model.entries import (
    Contents,
    DatasetVersion,
    EnvironmentFile,
    Evaluation,
    Note,
    Problem,
    Redaction,
    StoredRun,
)
from ledger.model.ids import is_id
from ledger.model.record import Record
from ledger.repository.blobs import blob_reader
from ledger.repository.history.walk import contains
from ledger.store.branch.policy import Policy
from ledger.store.branch.reader import AnyEntry, assemble, folders_of, read_contents, split_run
from ledger.store.integrity.check.additions import AddedFile, ProposedChange, owner_of
from ledger.store.integrity.check.documents import AnyDocument, document_kind, load_checked
from ledger.store.integrity.check.plausibility import check_plausible, check_repeated
from ledger.store.integrity.check.references import check_notes, check_versions, versions_named
from ledger.store.integrity.check.requirements import (
    check_claims,
    check_datasets,
    check_metrics,
    check_record,
    claims_in,
)
from ledger.store.integrity.check.secrets import secrets_in, secrets_said
from ledger.store.integrity.check.side_files import Looked, look
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.redaction_proof import Steps
from ledger.store.integrity.signatures import document_of, is_signature
from ledger.store.integrity.verify.contents import Hashes, check_contents, check_redactions
from ledger.store.integrity.verify.signatures import Signed

_BESIDE = 500
"""Most runs of the same days that are searched for a repeat: reading them costs 20 ms."""
_REVOKE = "revoke it, then record the run again without it; once it is on the ledger: ledger redact"


class Examined:
    """The contents of a proposal, read.

    Args:
        proposal: files that it adds.
        readable: files that are small enough to be read.
        policy: policy that applies.
        arriving: whether it is about to enter the ledger; what is on it is not searched for secrets again.
    """

    def __init__(
        self, proposal: ProposedChange, readable: Mapping[str, AddedFile], policy: Policy, *, arriving: bool = True
    ) -> None:
        self.proposal = proposal
        self.readable = readable
        self.policy = policy
        self.arriving = arriving
        self.documents: dict[str, AnyDocument] = {}
        self._of_documents: list[Finding] = []
        self._environments: dict[bytes, tuple[AnyDocument | None, list[Finding]]] = {}
        self._looked = self._look()

    def _look(self) -> dict[str, Looked]:
        """Read every object once; one at several paths is checked for all of them."""
        by_blob: dict[str, list[str]] = defaultdict(list)
        for path, one in self.readable.items():
            by_blob[one.blob].append(path)
        looked: dict[str, Looked] = {}
        contents = self.proposal.repository.read_objects(by_blob) if by_blob else iter(())
        with uncollected():
            for (blob, standing), data in zip(by_blob.items(), contents, strict=True):
                if data is not None:
                    looked[blob] = look(standing, data, self.policy.secrets if self.arriving else None)
                    for path in standing:
                        self._load(path, data)
        return looked

    def _load(self, path: str, data: bytes) -> None:
        kind = document_kind(path)
        if kind is None:
            return
        if kind is EnvironmentFile and data in self._environments:  # every run of a machine shares it
            document, findings = self._environments[data]
            findings = [msgspec.structs.replace(finding, path=path) for finding in findings]
        else:
            document, findings = load_checked(path, data, kind)
        if kind is EnvironmentFile:
            self._environments = {data: (document, findings)}
        self._of_documents += findings
        if document is not None:
            self.documents[path] = document

    @cached_property
    def contents(self) -> Contents:
        """The added documents as one ledger; statements about missing runs are its problems."""
        files: dict[str, dict[str, str]] = defaultdict(dict)
        for path, one in self.proposal.added.items():
            folder, name = split_run(path)
            if folder:
                files[folder][name] = one.blob
        entries: list[tuple[str, AnyEntry]] = [
            (path, document)
            for path, document in self.documents.items()
            if isinstance(document, AnyEntry)  # tombstones and environments are checked elsewhere
        ]
        problems: list[Problem] = []
        return assemble(self.proposal.tip, files, entries, problems, self._runs_elsewhere())

    def _runs_elsewhere(self) -> set[str]:
        asked = {document.run for document in self.documents.values() if isinstance(document, Evaluation | Note)}
        records = {f"{paths.run_path(run)}/{paths.RECORD_FILE}": run for run in asked if is_id(run)}
        return {records[path] for path in self.proposal.standing(records)}

    @cached_property
    def redactions(self) -> dict[str, Redaction]:
        """The added tombstones, by path."""
        return {path: one for path, one in self.documents.items() if isinstance(one, Redaction)}

    def check(self) -> Iterator[Finding]:
        """Yield everything that is wrong with the added content."""
        yield from self.check_documents()
        yield from self._of_files()
        yield from self._against_hashes()
        yield from self._required()
        yield from self._repeated()

    def check_documents(self) -> Iterator[Finding]:
        """Yield everything that is wrong with documents by themselves and with their references."""
        # A file with redacted parts need not be a document any more; its tombstone is checked below.
        replaced = {(file.path, file.after) for one in self.redactions.values() for file in one.files}
        for finding in self._of_documents:
            one = self.readable.get(finding.path)
            if one is None or (finding.path, self._looked[one.blob].side.hash) not in replaced:
                yield finding
        for problem in self.contents.problems:
            yield Finding(
                rule="reference",
                path=problem.path,
                field="run",
                message=problem.message,
                hint="record the run first: ledger sync",
            )
        for path, document in self.documents.items():
            if isinstance(document, EnvironmentFile):
                continue  # it makes no claim that could be implausible
            added = self.proposal.added.get(path)
            yield from check_plausible(document, path, added.committed if added else None)
        yield from check_notes(self.documents, self.proposal.standing)
        named = versions_named(self.documents)
        yield from check_versions(named, self._versions(named))

    def _versions(self, named: Iterable[str]) -> dict[str, DatasetVersion]:
        """Return those of some dataset versions that are added or on the ledger."""
        asked = list(named)
        known = {path: one for path in asked if isinstance(one := self.documents.get(path), DatasetVersion)}
        rest = {path: blob for path, blob in self.proposal.standing(asked).items() if path not in known}
        contents = self.proposal.repository.read_objects(rest.values()) if rest else iter(())
        for path, data in zip(rest, contents, strict=True):
            try:
                if data is not None:
                    known[path] = load(data, DatasetVersion, source=path)
            except LedgerError:
                continue  # `verify` reports problems of what is on the ledger
        return known

    def _of_files(self) -> Iterator[Finding]:
        for path, one in self.readable.items():
            looked = self._looked.get(one.blob)
            if looked is None:
                continue
            found = looked.secrets
            if document_kind(path) is not None:
                found = secrets_in(self.documents.get(path), found, self.policy.secrets)
            if found:
                yield Finding(rule="secret", path=path, message=secrets_said(found), hint=_REVOKE)
        if find_secrets("\n".join(self.proposal.added).encode("utf-8", "surrogateescape")):
            for path in self.proposal.added:
                if found := find_secrets(path.encode("utf-8", "surrogateescape"), self.policy.secrets):
                    yield Finding(rule="secret", path=path, message=secrets_said(found), hint=_REVOKE)

    def _against_hashes(self) -> Iterator[Finding]:
        """Yield what `verify` finds wrong in contents and signatures."""
        repository, tip = self.proposal.repository, self.proposal.tip
        tree = self._readable_entries()
        referred = self._referred()
        dates = {path: one.committed for path, one in self.proposal.added.items()}
        replaced = Steps(list(self.redactions.values()))
        taken = {blob: looked.side for blob, looked in self._looked.items()}
        # A tombstone may name former content of the ledger; a signature may be about existing content.
        named = {file.path for redaction in self.redactions.values() for file in redaction.files}
        around = self.proposal.standing(named) | self._signed_before() | tree
        with blob_reader(repository) as read_blob:
            hashes = Hashes(self._untouched_files(named) | tree, read_blob, referred.__contains__, taken)
            yield from check_contents(self._among(tree), hashes, replaced, dates)
            beyond = Hashes(around, read_blob, taken=taken)
            yield from check_redactions(
                self.redactions, beyond, replaced, lambda commit: contains(repository, tip, commit)
            )
            signed = Signed(repository, self.policy.signatures, beyond, read_blob, replaced.first())
            yield from signed.check(tree, (), dates)

    def _readable_entries(self) -> dict[str, str]:
        """Return the objects of entries whose files may all be read, by path; of the others, only sizes are checked."""
        unread = {owner_of(path) for path in self.proposal.added if path not in self.readable}
        return {
            path: one.blob
            for path, one in self.proposal.added.items()
            if path in self.readable and (owner_of(path) is None or owner_of(path) not in unread)
        }

    def _among(self, tree: Mapping[str, str]) -> Contents:
        """Return the documents of complete entries."""
        runs = tuple(run for run in self.contents.runs if f"{run.path}/{paths.RECORD_FILE}" in tree)
        versions = tuple(
            version
            for version in self.contents.datasets
            if f"{paths.dataset_path(version.name, version.version)}/{paths.DATASET_FILE}" in tree
        )
        return msgspec.structs.replace(self.contents, runs=runs, datasets=versions)

    def _untouched_files(self, redacted: Iterable[str]) -> dict[str, str]:
        """Return the files of redacted entries that are on the ledger unchanged, and so not added."""
        owners = {owner for path in redacted if path in self.proposal.added and (owner := owner_of(path))}
        if not owners:
            return {}
        shards = [
            f"{paths.SHARDS}/{'/'.join(owner.split('/')[1:3])}/" for owner in owners if owner.startswith("datasets/")
        ]
        tree = self.proposal.repository.read_tree(self.proposal.tip, [*folders_of(owners), *shards])
        return {file.path: file.blob for file in tree if owner_of(file.path) in owners}

    def _signed_before(self) -> dict[str, str]:
        """Return the existing files of entries that signatures are added to."""
        signed = {document_of(path): path for path in self.proposal.added if is_signature(path)}
        alone = [path for document, path in signed.items() if document not in self.proposal.added]
        if not alone:
            return {}
        tree = self.proposal.repository.read_tree(self.proposal.tip, folders_of(alone))
        return {file.path: file.blob for file in tree if document_of(file.path) in signed}

    def _referred(self) -> set[str]:
        """Return the runs and versions on the ledger that records refer to."""
        asked: set[str] = set()
        for run in self.contents.runs:
            named = (run.record.parent, run.record.baseline)
            asked |= {f"{paths.run_path(one)}/{paths.RECORD_FILE}" for one in named if one and is_id(one)}
        for version in self.contents.datasets:
            if version.parent is not None:
                asked.add(f"datasets/{version.name}/{version.parent}/{paths.DATASET_FILE}")
        return set(self.proposal.standing(asked))

    def _required(self) -> Iterator[Finding]:
        require = self.policy.require
        for run in self.contents.runs:
            yield from check_record(run.record, f"{run.path}/{paths.RECORD_FILE}", self.policy)
        for path, document in self.documents.items():
            if isinstance(document, Evaluation):
                yield from check_metrics(document, path, self.policy)
        if require.known_datasets:
            yield from check_datasets(self.documents, self.proposal.standing)
        if require.repeats_for_best and (claims := claims_in(self.documents)):
            yield from check_claims(claims, self._all_runs(), require.repeats_for_best)

    def _all_runs(self) -> list[StoredRun]:
        """Return every run of the ledger and of the proposal; read only where a claim requires it."""
        found: dict[str, StoredRun] = {}
        for commit in (*self.proposal.elsewhere, self.proposal.tip):
            found |= {run.record.id: run for run in read_contents(self.proposal.repository, commit).runs}
        return list(found.values())

    def _repeated(self) -> Iterator[Finding]:
        new = [(f"{run.path}/{paths.RECORD_FILE}", run.record) for run in self.contents.runs]
        if new:
            yield from check_repeated(new, self._neighbours({path for path, _ in new}))

    def _neighbours(self, new: set[str]) -> Iterator[tuple[str, Record]]:
        """Yield existing runs of the same days as the proposed ones."""
        since = self.proposal.since
        if since is None:
            return
        days = sorted({"/".join(path.split("/")[:4]) + "/" for path in new})
        tree = self.proposal.repository.read_tree(since, days)
        wanted = [one for one in tree if one.path.endswith(f"/{paths.RECORD_FILE}") and one.path not in new]
        chosen = wanted[-_BESIDE:]
        contents: Iterable[bytes | None] = (
            self.proposal.repository.read_objects(one.blob for one in chosen) if chosen else ()
        )
        for one, data in zip(chosen, contents, strict=True):
            try:
                if data is not None:
                    yield one.path, load(data, Record, source=one.path)
            except LedgerError:
                continue  # `verify` reports problems of what is on the ledger
