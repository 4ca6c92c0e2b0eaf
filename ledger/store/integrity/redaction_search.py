"""Finds the secrets of entries that were not sent yet, so that nobody has to type what a server refuses."""

import msgspec

from ledger.capture.secrets.documents import redact_value
from ledger.capture.secrets.picture_texts import redact_png
from ledger.capture.secrets.redactor import Redactor
from ledger.capture.secrets.team_rules import OwnSecrets
from ledger.errors import InvalidDocument
from ledger.model import paths
from ledger.model.document import load
from ledger.model.record import Record
from ledger.model.values import Document
from ledger.repository.history.walk import walk
from ledger.store.branch.branch import Branch
from ledger.store.branch.reader import kind_of
from ledger.store.integrity.redaction_plan import SHORTEST, commits_unsent


class UnsentSecrets(Document, frozen=True, kw_only=True):
    """What of unsent entries looks like a secret."""

    texts: list[str]
    """What is to be replaced."""
    files: list[str]
    """Pictures that hold some where no mark can stand: they go whole."""


class _Collector(Redactor):
    """Keeps what it replaces."""

    def __init__(self, own: OwnSecrets) -> None:
        super().__init__(own)
        self.texts: dict[str, None] = {}

    def _take(self, kind: str, secret: str | float | bytes) -> None:
        super()._take(kind, secret)
        text = secret.decode("utf-8", "replace") if isinstance(secret, bytes) else str(secret)
        self.texts.update((line, None) for line in map(str.strip, text.splitlines()) if len(line) >= SHORTEST)


def find_unsent(ledger: Branch) -> UnsentSecrets:
    """Return what looks like a secret in entries that no remote has, judged as `ledger check` judges it.

    Raises:
        LedgerError: git cannot read the branch.
    """
    tip = ledger.tip()
    if tip is None:
        return UnsentSecrets(texts=[], files=[])
    collector, files = _Collector(ledger.policy.secrets), []
    own = commits_unsent(ledger, tip)
    steps = [step for step in walk(ledger.repository, tip) if step.commit in own]
    # What a team agreed on is no entry: a policy names what its secrets look like, and holds none.
    blobs = {
        change.blob: change.path
        for step in steps
        for change in step.changes
        if change.status != "D" and not paths.is_agreed(change.path)
    }
    for (_, path), data in zip(blobs.items(), ledger.repository.read_objects(blobs), strict=True):
        if data is None:
            continue
        if path.endswith(".png"):
            picture = Redactor(collector.own)
            redact_png(data, picture)
            files += [path] if picture.counts else []
        elif kind_of(path) is not None:
            _in_document(path, data, collector)
        elif path.endswith(".patch"):
            collector.patch(data)
        else:
            collector.content(data)
    for data in ledger.repository.read_objects(step.commit for step in steps):
        collector.content((data or b"").partition(b"\n\n")[2])
    return UnsentSecrets(texts=list(collector.texts), files=files)


def _in_document(path: str, data: bytes, collector: _Collector) -> None:
    try:
        document = load(data, kind_of(path) or Record, source=path)
    except InvalidDocument:
        collector.content(data)
        return
    if isinstance(document, Record):
        collector.argv(document.command)
    redact_value(msgspec.to_builtins(document), collector)
