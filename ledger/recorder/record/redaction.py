"""Removal of secrets from everything in a draft, before any of it can reach git."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from ledger.analysis.data.curves import Gathered
from ledger.capture.secrets.documents import redact_value
from ledger.capture.secrets.redactor import Redactor, find_secrets
from ledger.errors import InvalidDocument, LedgerError
from ledger.hashing import hash_bytes
from ledger.model.boxes.inputs import Step
from ledger.model.boxes.outputs import Metric
from ledger.model.document import dump, load
from ledger.model.entries import Case, DatasetVersion, EnvironmentFile, Evaluation, Note
from ledger.model.hosts import HostDay
from ledger.model.record import Link, Record
from ledger.model.values import check_slug, plain
from ledger.recorder.record.draft import Captured, Dataset, Draft, TableSource
from ledger.store.branch.branch import Branch

T = TypeVar("T", Record, EnvironmentFile, Evaluation, Note, Case, DatasetVersion, HostDay)


def redact_draft(draft: Draft, redactor: Redactor) -> Draft:
    """Return the draft with every secret replaced; the redactor counts them."""

    def text(value: str | None) -> str | None:
        return None if value is None else redactor.text(value)

    def dataset(source: Dataset) -> Dataset:
        # Name and version are parts of paths, where no mark can be; data with a secret as its name gets none.
        secret = bool(find_secrets(f"{source.name} {source.version}".encode(), redactor.own))
        if secret:
            redactor.text(f"{source.name} {source.version}")
            source = msgspec.structs.replace(source, name=None, version=None)
        return msgspec.structs.replace(
            source,
            # Paths are needed first, to read the files; the record's own paths are searched with the record.
            path=redactor.url(source.path) if "://" in source.path else source.path,
            reason=text(source.reason),
            source=text(source.source),
        )

    def metric(measured: Metric) -> Metric:
        return msgspec.structs.replace(
            measured,
            name=redactor.text(measured.name),
            split=text(measured.split),
            dataset=text(measured.dataset),
            evaluator=text(measured.evaluator),
            said=text(measured.said),
        )

    def step(source: Step) -> Step:
        return msgspec.structs.replace(
            source, name=redactor.text(source.name), function=text(source.function), unknown=text(source.unknown)
        )

    def table(source: TableSource) -> TableSource:
        return msgspec.structs.replace(
            source,
            name=redactor.text(source.name),
            metric=text(source.metric),
            dataset=text(source.dataset),
            evaluator=text(source.evaluator),
        )

    return msgspec.structs.replace(
        draft,
        parent=text(draft.parent),
        baseline=text(draft.baseline),
        metrics=[metric(measured) for measured in draft.metrics],
        headline=text(draft.headline),
        curves=_curves(draft.curves, redactor),
        experiment=redactor.text(draft.experiment),
        reason=text(draft.reason),
        note=text(draft.note),
        tags=[redactor.text(tag) for tag in draft.tags],
        command=redactor.argv(draft.command),
        links=[Link(url=redactor.url(link.url), title=text(link.title)) for link in draft.links],
        params=redactor.params(draft.params),
        chain=[step(source) for source in draft.chain],
        figures=[msgspec.structs.replace(figure, title=redactor.text(figure.title)) for figure in draft.figures],
        tables=[table(source) for source in draft.tables],
        datasets=[dataset(source) for source in draft.datasets],
    )


def redact_rest(record: Record, redactor: Redactor) -> Record:
    """Return the record with every remaining secret replaced, by the rules of `ledger check`.

    Errors quote their input, and machines have names: texts that are in no draft are searched here.
    """
    record = redact_document(record, redactor)
    return msgspec.structs.replace(record, redactions=dict(sorted(redactor.counts.items())))


def redact_environment(captured: Captured, redactor: Redactor) -> Captured:
    """Return the results of the probes with an environment without secrets, and the hash of that."""
    if captured.environment_file is None:
        return captured
    file = redact_document(captured.environment_file, redactor)
    if file is captured.environment_file:
        return captured
    environment = msgspec.structs.replace(captured.environment, hash=hash_bytes(dump(file)))
    return msgspec.structs.replace(captured, environment_file=file, environment=environment)


def redact_document(document: T, redactor: Redactor) -> T:
    """Return a document without its secrets; one that would then be invalid stays unchanged, for `ledger check`."""
    data = dump(document)
    if not find_secrets(data, redactor.own):
        return document  # which is fast, and finds more than the search by field
    values = redact_value(msgspec.to_builtins(document), redactor)
    try:
        return load(msgspec.json.encode(values), type(document), source="a document without its secrets")
    except InvalidDocument:
        return document


def check_open_name(field: str, name: str, redactor: Redactor) -> str:
    """Return `name` when it may be part of a public path.

    Raises:
        LedgerError: it cannot be part of a path, or looks like a secret.
    """
    if find_secrets(name.encode("utf-8", "replace"), redactor.own):
        raise LedgerError(f"{field} looks like a secret, and would become part of paths", hint="choose another name")
    return check_slug(field, name)


def check_open_names(manifests: Iterable[bytes], redactor: Redactor) -> None:
    """Check the names of a dataset's files, which are part of its hash, so that none can be replaced.

    Raises:
        LedgerError: one looks like a secret.
    """
    for manifest in manifests:
        if found := find_secrets(manifest, redactor.own):
            (line,) = [line for line in manifest.split(b"\n") if find_secrets(line, redactor.own)][:1] or [b""]
            shown = redactor.text(line.decode("utf-8", "replace"))
            raise LedgerError(
                f"the name of a file of the dataset looks like a secret ({', '.join(found)}): `{plain(shown[:200])}`",
                hint="rename the file; if it is no secret: ledger policy set secrets.allow TEXT",
            )


def redactor_for(ledger: Branch | None) -> Redactor:
    """Return a redactor with the team's own kinds of secrets, as far as the policy can be read."""
    try:
        return Redactor(ledger.policy.secrets) if ledger else Redactor()
    except InvalidDocument:
        return Redactor()


def _curves(curves: Gathered | None, redactor: Redactor) -> Gathered | None:
    if curves is None:
        return None
    names = {name: redactor.text(name) for name in curves.statistics.series}
    if all(name == shown for name, shown in names.items()):
        return curves
    points = [
        msgspec.structs.replace(point, values={names[name]: value for name, value in point.values.items()})
        for point in curves.points
    ]
    series = {names[name]: summary for name, summary in curves.statistics.series.items()}
    statistics = msgspec.structs.replace(curves.statistics, series=series)
    return Gathered(points=points, logged=curves.logged, statistics=statistics)
