"""The search for secrets in unsent entries, so that nobody has to type what a server refuses."""

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
    """Probable secrets in unsent entries."""

    texts: list[str]
    """Texts to replace."""
    files: list[str]
    """Pictures with secrets where no mark can be put: they are removed whole."""


class _Collector(Redactor):
    """A redactor that collects what it replaces."""

    def __init__(self, own: OwnSecrets) -> None:
        super().__init__(own)
        self.texts: dict[str, None] = {}

    def _take(self, kind: str, secret: str | float | bytes) -> None:
        super()._take(kind, secret)
        text = secret.decode("utf-8", "replace") if isinstance(secret, bytes) else str(secret)
        self.texts.update((line, None) for line in map(str.strip, text.splitlines()) if len(line) >= SHORTEST)


def find_unsent(ledger: Branch) -> UnsentSecrets:
    """Return probable secrets in entries that no remote has, by the rules of `ledger check`.

    Raises:
        LedgerError: git cannot read the branch.
    """
    tip = ledger.tip()
    if tip is None:
        return UnsentSecrets(texts=[], files=[])
    collector, files = _Collector(ledger.policy.secrets), []
    own = commits_unsent(ledger, tip)
    steps = [step for step in walk(ledger.repository, tip) if step.commit in own]
    # Policy and workflows are no entries: a policy describes secrets, and holds none.
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
