"""Signing of existing entries: signatures are added as files, like everything else."""

import os
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from ledger.hashing import hash_bytes
from ledger.model.document import load
from ledger.model.entries import Case, DatasetVersion, Evaluation, Note, Redaction
from ledger.model.hosts import HostDay
from ledger.model.ids import new_id
from ledger.model.record import Author, Record
from ledger.recorder.message import signature_message
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.branch.run_ids import resolve_run
from ledger.store.integrity.signatures import document_of, entries_of, signature_of


def sign_entries(
    ledger: Branch,
    read_blob: Callable[[str], bytes],
    now: datetime,
    *,
    runs: Sequence[str] = (),
    everybody: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[str]:
    """Sign entries that lack this key's signature, in one commit, and return their documents.

    Args:
        ledger: the ledger.
        read_blob: returns the content of a blob id.
        now: time of the commit, UTC.
        runs: only entries about these runs, by any author.
        everybody: include entries of other authors.
        progress: receives how many are signed, and of how many.

    Raises:
        NotFound: there is no such run.
        LedgerError: git is not configured with a key, or it cannot sign.
    """
    tip = ledger.tip()
    if tip is None:
        return []
    author = ledger.author()
    tree = {file.path: file.blob for file in ledger.repository.read_tree(tip)}
    about = {resolve_run(ledger, run) for run in runs}
    mine = [
        (document, files)
        for document, files in entries_of(tree).items()
        if document in tree and _is_wanted(document, read_blob(tree[document]), author, about, everybody=everybody)
    ]
    made: dict[str, bytes] = {}
    for number, (document, files) in enumerate(mine):
        progress(number, len(mine))
        path, content = signature_of(
            ledger.repository, document, {file: hash_bytes(read_blob(tree[file])) for file in files}
        )
        if path not in tree:
            made[path] = content
    signed = [document for document in map(document_of, made) if document]
    if made:
        message = signature_message(signed, author)
        ledger.append(Entry(id=new_id(now, os.urandom(4)), files=made, message=message, author=author, made_at=now))
    return signed


def _is_wanted(document: str, data: bytes, author: Author, about: Collection[str], *, everybody: bool) -> bool:
    kind = _KINDS[document.partition("/")[0]]
    entry = load(data, kind, source=document)
    if about:
        return (entry.id if isinstance(entry, Record) else getattr(entry, "run", None)) in about
    return everybody or entry.author.email == author.email


_KINDS: dict[str, type[Record | DatasetVersion | Evaluation | Note | Redaction | Case | HostDay]] = {
    "runs": Record,
    "datasets": DatasetVersion,
    "evaluations": Evaluation,
    "notes": Note,
    "redactions": Redaction,
    "cases": Case,
    "hosts": HostDay,
}
