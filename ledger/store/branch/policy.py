"""The policy in `policy.yaml` on the ledger branch: directions, prices, limits, budgets; changed by review only."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from ledger.analysis.advice.budget import Budget
from ledger.analysis.advice.spending import Spending, wrong_spending
from ledger.analysis.comparing.aggregates import Aggregate, what_is_wrong
from ledger.capture.code.code_rules import Untracked
from ledger.capture.harvest.known_files import check_formats
from ledger.capture.machine.platforms.own_platforms import OwnPlatform, wrong_platforms
from ledger.capture.machine.pricing.catalogue import Catalogue, load_catalogue
from ledger.capture.machine.pricing.energy import Energy, is_norway, wrong_energy
from ledger.capture.machine.pricing.prices import PRICES
from ledger.capture.secrets.team_rules import OwnSecrets, wrong_secrets
from ledger.errors import InvalidDocument, LedgerError
from ledger.model.paths import POLICY_FILE
from ledger.model.values import Direction, Document

SPLITS = {"val": "validation", "valid": "validation", "dev": "validation", "eval": "validation"}
"""Names of the validation split in other libraries: `val` in Ultralytics, Keras, Lightning, `eval` in Transformers."""

POLICY_BYTES = 64 * 1024
"""Largest `policy.yaml` or workflow, in bytes: a long price list has 4 KB, and reading YAML takes 10 s a MB."""
_KIB = 1 << 10
_MIB = 1 << 20


Size = Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
"""A size in bytes: at least one, at most a terabyte."""
Points = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
"""A number of things: at least one, at most a million."""


class Limits(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Maximum sizes on the ledger, within bounds: at least 1, and no more than a machine can hold."""

    patch_file_bytes: Size = _MIB
    """Largest changed file that is stored in a patch, in bytes; a larger one is only named and hashed."""
    patch_bytes: Size = 10 * _MIB
    """Largest total size of the changed files in one patch, in bytes."""
    figure_bytes: Size = 2 * _MIB
    """Largest figure, in bytes."""
    table_bytes: Size = _MIB
    """Largest table, in bytes."""
    curve_points: Points = 500
    """Most points stored for each learning curve."""
    metrics: Points = 2_000
    """Most metrics of one record or evaluation."""
    record_bytes: Size = 8 * _MIB
    """Largest JSON document in bytes: a record, a dataset version, an evaluation, a note, an environment."""
    log_bytes: Size = 64 * _MIB
    """Largest summary of a log, in bytes."""
    curves_bytes: Size = 16 * _MIB
    """Largest file of learning curves of a run, in bytes."""
    manifest_bytes: Size = 32 * _MIB
    """Largest file of a dataset version's manifest, in bytes."""
    picture_bytes: Size = 256 * _KIB
    """Largest picture of a sample, in bytes."""
    entry_bytes: Size = 128 * _MIB
    """Largest total size of the files of one entry, in bytes."""


class Signatures(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose signatures count, and whether every entry needs one."""

    required: bool = False
    """Whether entries must be signed from now on."""
    signers: str = ""
    """Lines of an allowed-signers file (ssh-keygen(1)): the name and public key of each signer."""
    redactors: list[str] = []
    """Names of the signers who may redact; all of them where none is named."""


class Changes(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may change the policy itself and the ledger's workflows."""

    by: Literal["anybody", "signers", "review"] = "anybody"
    """Everybody who may write the branch, only those in `signatures.signers`, or nobody without a proposal."""


BoxName = Literal[
    "code", "params", "datasets", "hardware", "environment", "cost", "model", "logs", "results", "statistics"
]
"""Names of the ten boxes of a record: see `model.record.BOXES`."""


class Require(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requirements that an entry must meet to enter the ledger; none by default."""

    boxes: list[BoxName] = []
    """Boxes of the record that must be known."""
    clean_code: bool | Literal["captured"] = False
    """Whether all code must be committed; `captured` where an exact patch is enough."""
    known_datasets: bool = False
    """Whether every dataset used must be a version on the ledger."""
    seed: bool = False
    """Whether the random seed must be stated."""
    headline: bool = False
    """Whether one metric must be the headline of the run."""
    budget: bool = False
    """Whether a run over the budget is refused, and one whose share of it is unknown."""
    repeats_for_best: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    """Number of repeats with the same setting that a run needs to be tagged `best` or made a baseline."""


class CodePolicy(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which files count as code, and which of them are recorded."""

    untracked: Untracked = "source"
    """Which untracked files go into the patch: source and configuration, all, or none."""
    ignore: list[str] = []
    """Patterns of files that are not code, as in `.gitignore`; runs that differ only in them are repeats."""


class Privacy(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out of every record."""

    host: bool = False
    """Leave out the name of the machine."""
    email: bool = False
    """Leave out the e-mail address of the author, in the commit of the record too."""
    home: bool = False
    """Write `~` for the path of the home folder, wherever it occurs."""
    interpreter: bool = False
    """Leave out the path of the Python interpreter."""
    platforms: bool = False
    """Leave out the platforms that a run was on, with their jobs."""


class SitePolicy(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the site of the ledger is made."""

    run_pages: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 12_000
    """Number of newest runs with a page of their own; one page shows all older ones."""
    notice: Annotated[str, msgspec.Meta(max_length=300)] = ""
    """What the home page says above everything, in one line of text."""


class Policy(Document, frozen=True, kw_only=True):
    """The rules that a team agreed on."""

    directions: dict[str, Direction] = {}
    """Which values are better, by metric name or `split/name`."""
    aggregates: dict[str, Aggregate] = {}
    """How a metric (`split/name`) is computed from others."""
    splits: dict[str, str] = msgspec.field(default_factory=SPLITS.copy)
    """Other names of splits, in lower case: `val` means `validation`."""
    limits: Limits = Limits()
    """Maximum sizes."""
    prices: Catalogue = PRICES
    """Prices of hardware."""
    energy: Energy = Energy()
    """Price and origin of electricity."""
    spending: list[Spending] = []
    """Budgets of what may be spent, of which `ledger cost` shows the share."""
    signatures: Signatures = Signatures()
    """Whose signatures count."""
    budget: Budget = Budget()
    """Budget of one model."""
    require: Require = Require()
    """Requirements that an entry must meet to enter the ledger."""
    code: CodePolicy = CodePolicy()
    """Which files count as code, and which of them are recorded."""
    places: list[str] = []
    """Params that only say where files go; runs that differ only in them are repeats."""
    harvest: str = "auto"
    """Sources that fill boxes which nobody filled: `auto`, `off`, or some of them, such as `argv,tfevents`."""
    privacy: Privacy = Privacy()
    """What is left out of every record."""
    changes: Changes = Changes()
    """Who may change the policy."""
    secrets: OwnSecrets = OwnSecrets()
    """The team's own kinds of secrets, by shape and name, and texts that are none."""
    platforms: dict[str, OwnPlatform] = {}
    """The team's own platforms, by name: schedulers and machines that no table of ledger knows."""
    metadata: bool = False
    """Whether the metadata service of a cloud may be asked for type of machine, region and spot."""
    site: SitePolicy = SitePolicy()
    """How the site is made."""


class PolicyFile(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of `policy.yaml` as people write it."""

    directions: dict[str, Direction] = {}
    """Which values are better, by metric name or `split/name`."""
    aggregates: dict[str, Aggregate] = {}
    """How a metric (`split/name`) is computed from others."""
    splits: dict[str, str] = {}
    """Other names of splits, beside the known ones."""
    limits: Limits = Limits()
    """Maximum sizes."""
    signatures: Signatures = Signatures()
    """Whose signatures count."""
    budget: Budget = Budget()
    """Budget of one model."""
    require: Require = Require()
    """Requirements that an entry must meet to enter the ledger."""
    code: CodePolicy = CodePolicy()
    """Which files count as code, and which of them are recorded."""
    places: list[str] = []
    """Params that only say where files go; runs that differ only in them are repeats."""
    harvest: str | bool | list[str] = "auto"
    """Sources that fill boxes which nobody filled: `auto`, `off`, or some of them, such as `argv,tfevents`."""
    privacy: Privacy = Privacy()
    """What is left out of every record."""
    changes: Changes = Changes()
    """Who may change the policy."""
    secrets: OwnSecrets = OwnSecrets()
    """The team's own kinds of secrets, by shape and name, and texts that are none."""
    platforms: dict[str, OwnPlatform] = {}
    """The team's own platforms, by name: schedulers and machines that no table of ledger knows."""
    metadata: bool = False
    """Whether the metadata service of a cloud may be asked for type of machine, region and spot."""
    prices: dict[str, Any] = {}  # `load_catalogue` checks it and reports all problems at once
    """Price of one hour of each device, and rows of prices with the machine, region and days for which they hold."""
    energy: Energy = Energy()
    """Price and origin of electricity."""
    spending: Spending | list[Spending] = []
    """Budgets of what may be spent: one or a list."""
    site: SitePolicy = SitePolicy()
    """How the site is made."""


def list_keys() -> set[str]:
    """Return the keys of the file that hold a list, in dotted form: `code.ignore`."""
    silent = PolicyFile()
    parts = {name: getattr(silent, name) for name in silent.__struct_fields__}
    inner = {
        f"{name}.{field}": getattr(part, field)
        for name, part in parts.items()
        if isinstance(part, Document)
        for field in part.__struct_fields__
    }
    return {name for name, value in (parts | inner).items() if isinstance(value, list)}


def load_policy(data: bytes) -> Policy:
    """Return the policy in the text of a `policy.yaml`; the defaults for all that it leaves out.

    Raises:
        InvalidDocument: it is no YAML mapping, too large, or a field is unknown or wrong.
    """
    if len(data) > POLICY_BYTES:
        raise InvalidDocument(POLICY_FILE, [f"{len(data):,} bytes, but at most {POLICY_BYTES:,} are allowed"])
    if not re.search(rb"^[^#\s]", data, re.MULTILINE):
        return Policy()  # comments only, as `ledger init` writes it: no need to import YAML
    import yaml

    if _open_at_once(data) > _MOST_OPEN:  # reading them takes a second, until the interpreter's stack is full
        raise InvalidDocument(POLICY_FILE, [f"more than {_MOST_OPEN} brackets are open at once"])
    try:
        if b"*" in data and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(data, yaml.SafeLoader)):
            # A few aliases of aliases expand to more values than any memory holds.
            raise InvalidDocument(POLICY_FILE, ["it holds an alias (`*name`): write the value out"])
        values = _mapping(yaml.safe_load(data))
        if is_norway(values.get("energy")):
            raise InvalidDocument(POLICY_FILE, ["energy.region: YAML reads `NO` as false; write `NOR`"])
        written = msgspec.convert(values, PolicyFile)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidDocument(POLICY_FILE, [" ".join(str(error).split())]) from error
    wrong_electricity = list(wrong_energy(written.energy))
    energy = Energy() if wrong_electricity else written.energy
    prices = load_catalogue(written.prices, f"{POLICY_FILE}: prices", energy) if written.prices else PRICES
    spending = written.spending if isinstance(written.spending, list) else [written.spending]
    wrong = wrong_electricity + list(wrong_spending(spending))
    wrong += [f"aggregates.{key}: {why}" for key, one in written.aggregates.items() if (why := what_is_wrong(one))]
    wrong += [
        f"splits.{word}: the name of a split must not hold `/`: `{word}: {split}`"
        for word, split in written.splits.items()
        if not word.strip() or not split.strip() or "/" in word + split
    ]
    wrong += wrong_signers(written.signatures.signers)
    if written.changes.by == "signers" and not written.signatures.signers.strip():
        wrong.append(
            "changes.by: signers: `signatures.signers` names no signer, so nobody could change the policy any more"
        )
    wrong += wrong_secrets(written.secrets)
    wrong += wrong_platforms(written.platforms)
    try:
        check_formats(_harvest_of(written))
    except LedgerError as error:
        wrong.append(f"harvest: {error.message} ({error.hint})")
    if wrong:
        raise InvalidDocument(POLICY_FILE, wrong)
    return Policy(
        directions=written.directions,
        aggregates=written.aggregates,
        splits=SPLITS | {word.lower(): split for word, split in written.splits.items()},
        limits=written.limits,
        prices=prices,
        energy=energy,
        spending=spending,
        signatures=written.signatures,
        budget=written.budget,
        require=written.require,
        code=written.code,
        places=written.places,
        harvest=_harvest_of(written),
        privacy=written.privacy,
        changes=written.changes,
        secrets=written.secrets,
        platforms=written.platforms,
        metadata=written.metadata,
        site=written.site,
    )


def _harvest_of(written: PolicyFile) -> str:
    """Return the choice as one text: YAML reads `off` as false."""
    chosen = written.harvest
    if isinstance(chosen, bool):
        return "auto" if chosen else "off"
    return chosen if isinstance(chosen, str) else ",".join(chosen) or "off"


def _open_at_once(data: bytes) -> int:
    depth = most = 0
    for mark in re.findall(rb"[\[\]{}]", data):
        depth = depth + 1 if mark in b"[{" else max(0, depth - 1)
        most = max(most, depth)
    return most


_MOST_OPEN = 100
"""Most brackets that are open at once; a policy needs three."""
_KEY = re.compile(
    r"\s(?:sk-)?(?:ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp(?:256|384|521))(?:@openssh\.com)?\s+AAAA[A-Za-z0-9+/]{20,}"
)
"""A public key as OpenSSH writes it, after the name of its owner."""
_MOST_SIGNERS = 10_000
_SHOWN = 20
"""Most problems that are reported for one policy."""


def wrong_signers(text: str) -> list[str]:
    """Return the lines that name no signer, or no key (ssh-keygen(1), ALLOWED SIGNERS)."""
    lines = text.splitlines()
    if len(lines) > _MOST_SIGNERS:
        return [f"signatures.signers: {_MOST_SIGNERS:,} lines at most"]
    wrong = [
        f"signatures.signers, line {number}: a name and a public key expected: `{ascii(line.strip())[1:-1][:60]}`"
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#") and not _KEY.search(line.strip())
    ]
    return wrong[:_SHOWN]


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidDocument(POLICY_FILE, ["it must hold a mapping, such as `directions:`"])
    return value
