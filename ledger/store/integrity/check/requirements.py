"""The policy's requirements for entries, beyond being well-formed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ledger.analysis.advice.budget import spent_of
from ledger.analysis.comparing.settings import setting_key, settings_of
from ledger.model.boxes.code import Code
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.claims.measurements import metrics_in, too_many_metrics
from ledger.model.entries import Evaluation, Note, StoredRun
from ledger.model.paths import DATASET_FILE
from ledger.model.record import Record
from ledger.store.branch.policy import Policy, Require
from ledger.store.integrity.findings import Finding

BEST = "best"
"""The tag that claims a run is the best."""


def check_record(record: Record, path: str, policy: Policy) -> Iterator[Finding]:
    """Yield what a run lacks that the policy requires, and what of its budget it exceeds."""
    require = policy.require
    yield from check_metrics(record, path, policy)
    for field, message, hint in (*_of_boxes(record, require), *_of_facts(record, require)):
        yield Finding(rule="policy", path=path, field=field, message=message, hint=hint)
    if not require.budget:
        return
    for spent in spent_of(record, policy.budget):
        if spent.over:
            said = f"over the budget: {spent.name} is {spent.amount:g}, but at most {spent.limit:g} is allowed"
        elif spent.amount is None:
            said = f"the budget limits {spent.name}, but it is unknown"
        else:
            continue
        yield Finding(
            rule="policy", path=path, field=spent.name, message=said, hint="change the run, or policy.yaml by review"
        )


def check_metrics(document: Record | Evaluation, path: str, policy: Policy) -> Iterator[Finding]:
    """Yield records and evaluations with more metrics than the policy allows."""
    field, metrics = metrics_in(document)
    if said := too_many_metrics(len(metrics), policy.limits.metrics):
        hint = "keep them in a table, or raise the limit in policy.yaml by review"
        yield Finding(rule="size", path=path, field=field, message=said, hint=hint)


def _of_boxes(record: Record, require: Require) -> Iterator[tuple[str, str, str]]:
    boxes = record.boxes()
    for name in require.boxes:
        if not boxes[name].known:
            why = boxes[name].unknown["all"][:200]
            yield name, f"the policy asks for the box `{name}`, but it is unknown: {why}", "ledger record --help"


def _of_facts(record: Record, require: Require) -> Iterator[tuple[str, str, str]]:
    if require.clean_code and (why := _unclean(record.code, exact=require.clean_code == "captured")):
        yield "code", why, "commit the code, then run it again"
    if require.seed and record.seed is None:
        yield "seed", "the policy asks for a seed, but none is recorded", "ledger record --seed N"
    if require.headline and record.headline is None:
        yield "results.headline", "the policy asks for a headline metric, but there is none", "--headline SPLIT/METRIC"


def _unclean(code: Code, *, exact: bool) -> str | None:
    if code.commit is None:
        return "the policy asks for the code, but its commit is unknown"
    lost = any(file.code for file in code.omitted) or "patch" in code.unknown
    if not code.dirty or (code.patch is None and code.omitted and not lost):
        return None  # no uncommitted file counts as code
    if not exact:
        return "the policy asks for committed code, but some code was not committed"
    if code.patch is None or not code.patch.exact or lost:
        return "the policy asks for the exact code, but not all uncommitted code was kept"
    return None


def versions_used(documents: Mapping[str, object]) -> dict[str, list[tuple[str, DatasetUse]]]:
    """Return the dataset versions that runs and evaluations use, by the path of the version's document.

    Those without a name on the ledger are under the empty path.
    """
    found: dict[str, list[tuple[str, DatasetUse]]] = {}
    for path, document in documents.items():
        uses: Sequence[DatasetUse] = ()
        if isinstance(document, Record):
            uses = document.datasets.used
        elif isinstance(document, Evaluation):
            uses = document.datasets
        for use in uses:
            named = use.name and use.version
            where = f"datasets/{use.name}/{use.version}/{DATASET_FILE}" if named else ""
            found.setdefault(where, []).append((path, use))
    return found


def check_datasets(
    documents: Mapping[str, object], there: Callable[[Iterable[str]], Mapping[str, str]]
) -> Iterator[Finding]:
    """Yield datasets that are no version on the ledger.

    Args:
        documents: document by path.
        there: those of some paths that are on the ledger.
    """
    used = versions_used(documents)
    standing = there(where for where in used if where)
    for where, uses in used.items():
        for path, use in uses:
            if where not in standing:
                yield Finding(
                    rule="policy",
                    path=path,
                    field="datasets",
                    message=f"the policy asks for dataset versions, but this is not one: `{ascii(use.label)[1:-1]}`",
                    hint="ledger dataset add NAME PATH --role ROLE",
                )


def claims_in(documents: Mapping[str, object]) -> dict[str, str]:
    """Return the runs that documents call the best or a baseline, each with the path of the claim."""
    claims: dict[str, str] = {}
    for path, document in documents.items():
        if isinstance(document, Record) and BEST in document.tags:
            claims[document.id] = path
        elif isinstance(document, Note):
            best = document.kind == "tag" and document.text == BEST
            if best or document.kind == "baseline":
                claims[document.run] = path
    return claims


def check_claims(claims: Mapping[str, str], runs: Sequence[StoredRun], repeats: int) -> Iterator[Finding]:
    """Yield claims with too few repeats of their setting.

    Args:
        claims: path of the claim by run.
        runs: every run of the ledger, those of the proposal included.
        repeats: number of runs of one setting that a claim needs.
    """
    by_id = {run.record.id: run for run in runs}
    good = (run for run in runs if run.standing == "finished")
    counts = {setting_key(setting.runs[0]): len(setting.runs) for setting in settings_of(good)}
    for run_id, path in claims.items():
        claimed = by_id.get(run_id)
        count = counts.get(setting_key(claimed), 0) if claimed else 0
        if claimed and count < repeats:
            yield Finding(
                rule="policy",
                path=path,
                message=f"a claim to be the best needs {repeats} finished runs of the setting, but there are {count}",
                hint="repeat the run with other seeds, then claim it",
            )
