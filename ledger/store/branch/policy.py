"""`policy.yaml` on the ledger branch: metric directions, prices, limits, budget; changed by review only."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from ledger.analysis.advice.budget import Budget
from ledger.analysis.comparing.aggregates import Aggregate, what_is_wrong
from ledger.capture.code.code_rules import Untracked
from ledger.capture.machine.cost import Catalogue, load_catalogue
from ledger.capture.machine.prices import PRICES
from ledger.capture.secrets.team_rules import OwnSecrets, wrong_secrets
from ledger.errors import InvalidDocument
from ledger.model.paths import POLICY_FILE
from ledger.model.values import Direction, Document

SPLITS = {"val": "validation", "valid": "validation", "dev": "validation", "eval": "validation"}
"""What trainers call the validation split: Ultralytics, Keras and Lightning `val`, Transformers `eval`."""

POLICY_BYTES = 64 * 1024
"""Of `policy.yaml` and of a workflow at most: a long price list is 4 KB, and reading YAML takes 10 s a MB."""
_KIB = 1 << 10
_MIB = 1 << 20


Size = Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
"""Bytes: at least one, at most a terabyte."""
Points = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
"""How many of something: at least one, at most a million."""


class Limits(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How large things on the ledger may be: at least something, and no more than a machine holds."""

    patch_file_bytes: Size = _MIB
    """A changed file of more bytes is named and hashed, not stored."""
    patch_bytes: Size = 10 * _MIB
    """All changed files in one patch together."""
    figure_bytes: Size = 2 * _MIB
    """One figure."""
    table_bytes: Size = _MIB
    """One table."""
    curve_points: Points = 500
    """Points kept of each learning curve."""
    metrics: Points = 2_000
    """Metrics of one record or evaluation."""
    record_bytes: Size = 8 * _MIB
    """One JSON document: a record, a dataset version, an evaluation, a note; an environment."""
    log_bytes: Size = 64 * _MIB
    """The summary of a log."""
    curves_bytes: Size = 16 * _MIB
    """The learning curves of a run."""
    manifest_bytes: Size = 32 * _MIB
    """One file of a dataset version's manifest."""
    picture_bytes: Size = 256 * _KIB
    """One picture of a sample."""
    entry_bytes: Size = 128 * _MIB
    """All files of one entry together."""


class Signatures(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose signatures count, and whether every entry must have one."""

    required: bool = False
    """Whether entries added from now on must be signed."""
    signers: str = ""
    """Lines of an allowed-signers file (ssh-keygen(1)): who, and their public key."""
    redactors: list[str] = []
    """Names of those signers who may redact; all of them where none is named."""


class Changes(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may change the policy itself, and the workflows of the ledger."""

    by: Literal["anybody", "signers", "review"] = "anybody"
    """Whoever may write the branch, those whom `signatures.signers` names, or nobody without a proposal."""


BoxName = Literal[
    "code", "params", "datasets", "hardware", "environment", "cost", "model", "logs", "results", "statistics"
]
"""The ten boxes of a record: `model.record.BOXES`."""


class Require(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an entry must have to be let onto the ledger; by default nothing."""

    boxes: list[BoxName] = []
    """Boxes of the record that must be known."""
    clean_code: bool | Literal["captured"] = False
    """Whether all code must be committed; `captured` where an exact patch will do."""
    known_datasets: bool = False
    """Whether every dataset used must be a version on the ledger."""
    seed: bool = False
    """Whether the random seed must be stated."""
    headline: bool = False
    """Whether one metric must speak for the run."""
    budget: bool = False
    """Whether a run over the budget, or of unknown cost in what it limits, is refused."""
    repeats_for_best: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    """Runs of one setting that a claim needs: a run tagged `best`, or made a baseline."""


class CodePolicy(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts as code, and what of it leaves the machine."""

    untracked: Untracked = "source"
    """Which untracked files go into the patch: source and configuration, all, or none."""
    ignore: list[str] = []
    """Patterns of files that are no code, as in `.gitignore`; runs that differ in them alone are repeats."""


class Privacy(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out of every record."""

    host: bool = False
    """Leave out the name of the machine."""
    email: bool = False
    """Leave out the e-mail address of the author, in the commit of the record too."""
    home: bool = False
    """Write `~` for the path of the home folder, wherever a path of it stands."""
    interpreter: bool = False
    """Leave out the path of the Python interpreter."""


class Policy(Document, frozen=True, kw_only=True):
    """What a team agreed on."""

    directions: dict[str, Direction] = {}
    """Metric name (or `split/name`) to which values are better."""
    aggregates: dict[str, Aggregate] = {}
    """Metric (`split/name`) to how it is made of others."""
    splits: dict[str, str] = msgspec.field(default_factory=SPLITS.copy)
    """Other name of a split, in lower case, to the split: `val` to `validation`."""
    limits: Limits = Limits()
    """How large things may be."""
    prices: Catalogue = PRICES
    """What hardware costs."""
    signatures: Signatures = Signatures()
    """Whose signatures count."""
    budget: Budget = Budget()
    """What one model may take up."""
    require: Require = Require()
    """What an entry must have to be let onto the ledger."""
    code: CodePolicy = CodePolicy()
    """What counts as code, and what of it leaves the machine."""
    places: list[str] = []
    """Params that say where things are put, and set nothing: runs that differ in them alone are repeats."""
    privacy: Privacy = Privacy()
    """What is left out of every record."""
    changes: Changes = Changes()
    """Who may change the policy."""
    secrets: OwnSecrets = OwnSecrets()
    """What else is a secret: shapes and names of the team's own, and texts that are none."""


class PolicyFile(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as people write it."""

    directions: dict[str, Direction] = {}
    """Metric name (or `split/name`) to which values are better."""
    aggregates: dict[str, Aggregate] = {}
    """Metric (`split/name`) to how it is made of others."""
    splits: dict[str, str] = {}
    """Other name of a split to the split, beside those that are known."""
    limits: Limits = Limits()
    """How large things may be."""
    signatures: Signatures = Signatures()
    """Whose signatures count."""
    budget: Budget = Budget()
    """What one model may take up."""
    require: Require = Require()
    """What an entry must have to be let onto the ledger."""
    code: CodePolicy = CodePolicy()
    """What counts as code, and what of it leaves the machine."""
    places: list[str] = []
    """Params that say where things are put, and set nothing: runs that differ in them alone are repeats."""
    privacy: Privacy = Privacy()
    """What is left out of every record."""
    changes: Changes = Changes()
    """Who may change the policy."""
    secrets: OwnSecrets = OwnSecrets()
    """What else is a secret: shapes and names of the team's own, and texts that are none."""
    prices: dict[str, Any] = {}  # `load_catalogue` checks it, all problems at once
    """What hardware costs: device to its price for an hour, in one currency."""


def list_keys() -> set[str]:
    """Return the keys of the file that hold a list, dotted: `code.ignore`."""
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
    """Return the policy that a `policy.yaml` states; the defaults where it is silent.

    Raises:
        InvalidDocument: it is no YAML mapping, too large, or a field is unknown or wrong.
    """
    if len(data) > POLICY_BYTES:
        raise InvalidDocument(POLICY_FILE, [f"{len(data):,} bytes, and {POLICY_BYTES:,} are allowed"])
    if not re.search(rb"^[^#\s]", data, re.MULTILINE):
        return Policy()  # comments only, as `ledger init` writes it: YAML's import is not paid
    import yaml

    try:
        if b"*" in data and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(data, yaml.SafeLoader)):
            # A few aliases of aliases are more values than any memory holds.
            raise InvalidDocument(POLICY_FILE, ["it holds an alias (`*name`): write the value out"])
        written = msgspec.convert(_mapping(yaml.safe_load(data)), PolicyFile)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidDocument(POLICY_FILE, [" ".join(str(error).split())]) from error
    prices = load_catalogue(written.prices, f"{POLICY_FILE}: prices") if written.prices else PRICES
    wrong = [f"aggregates.{key}: {why}" for key, one in written.aggregates.items() if (why := what_is_wrong(one))]
    wrong += [
        f"splits.{word}: names of splits have no `/`: `{word}: {split}`"
        for word, split in written.splits.items()
        if not word.strip() or not split.strip() or "/" in word + split
    ]
    wrong += wrong_signers(written.signatures.signers)
    if written.changes.by == "signers" and not written.signatures.signers.strip():
        wrong.append("changes.by: signers: `signatures.signers` names none, so nobody could change it any more")
    wrong += wrong_secrets(written.secrets)
    if wrong:
        raise InvalidDocument(POLICY_FILE, wrong)
    return Policy(
        directions=written.directions,
        aggregates=written.aggregates,
        splits=SPLITS | {word.lower(): split for word, split in written.splits.items()},
        limits=written.limits,
        prices=prices,
        signatures=written.signatures,
        budget=written.budget,
        require=written.require,
        code=written.code,
        places=written.places,
        privacy=written.privacy,
        changes=written.changes,
        secrets=written.secrets,
    )


_KEY = re.compile(
    r"\s(?:sk-)?(?:ssh-(?:ed25519|rsa|dss)|ecdsa-sha2-nistp(?:256|384|521))(?:@openssh\.com)?\s+AAAA[A-Za-z0-9+/]{20,}"
)
"""A public key as OpenSSH writes it, after the name of whose it is."""
_MOST_SIGNERS = 10_000
_SHOWN = 20
"""Problems of one policy that are told."""


def wrong_signers(text: str) -> list[str]:
    """Return which lines name nobody, or no key (ssh-keygen(1), ALLOWED SIGNERS)."""
    lines = text.splitlines()
    if len(lines) > _MOST_SIGNERS:
        return [f"signatures.signers: {_MOST_SIGNERS:,} lines at most"]
    wrong = [
        f"signatures.signers, line {number}: who, and a public key expected: `{ascii(line.strip())[1:-1][:60]}`"
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#") and not _KEY.search(line.strip())
    ]
    return wrong[:_SHOWN]


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidDocument(POLICY_FILE, ["it must hold a mapping, such as `directions:`"])
    return value
