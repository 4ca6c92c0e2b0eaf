"""`policy.yaml` on the ledger branch: metric directions, prices, limits, budget; changed by review only."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ledger.analysis.aggregates import Aggregate, what_is_wrong
from ledger.analysis.budget import Budget
from ledger.capture.cost import Catalogue, load_catalogue
from ledger.capture.prices import PRICES
from ledger.errors import InvalidDocument
from ledger.model.paths import POLICY_FILE
from ledger.model.values import Direction, Document

_MIB = 1 << 20


class Limits(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How large things on the ledger may be."""

    patch_file_bytes: int = _MIB
    """A changed file of more bytes is named and hashed, not stored."""
    patch_bytes: int = 10 * _MIB
    """All changed files in one patch together."""
    figure_bytes: int = 2 * _MIB
    """One figure."""
    table_bytes: int = _MIB
    """One table."""
    curve_points: int = 500
    """Points kept of each learning curve."""


class Signatures(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose signatures count, and whether every entry must have one."""

    required: bool = False
    """Whether entries added from now on must be signed."""
    signers: str = ""
    """Lines of an allowed-signers file (ssh-keygen(1)): who, and their public key."""


class Policy(Document, frozen=True, kw_only=True):
    """What a team agreed on."""

    directions: dict[str, Direction] = {}
    """Metric name (or `split/name`) to which values are better."""
    aggregates: dict[str, Aggregate] = {}
    """Metric (`split/name`) to how it is made of others."""
    limits: Limits = Limits()
    """How large things may be."""
    prices: Catalogue = PRICES
    """What hardware costs."""
    signatures: Signatures = Signatures()
    """Whose signatures count."""
    budget: Budget = Budget()
    """What one model may take up."""


class _Written(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as people write it."""

    directions: dict[str, Direction] = {}
    aggregates: dict[str, Aggregate] = {}
    limits: Limits = Limits()
    signatures: Signatures = Signatures()
    budget: Budget = Budget()
    prices: dict[str, Any] = {}  # `load_catalogue` checks it, all problems at once


def load_policy(data: bytes) -> Policy:
    """Return the policy that a `policy.yaml` states; the defaults where it is silent.

    Raises:
        InvalidDocument: it is no YAML mapping, or a field is unknown or wrong.
    """
    if not re.search(rb"^[^#\s]", data, re.MULTILINE):
        return Policy()  # comments only, as `ledger init` writes it: YAML's import is not paid
    import yaml

    try:
        written = msgspec.convert(_mapping(yaml.safe_load(data)), _Written)
    except (yaml.YAMLError, msgspec.ValidationError, RecursionError) as error:
        raise InvalidDocument(POLICY_FILE, [" ".join(str(error).split())]) from error
    prices = load_catalogue(written.prices, f"{POLICY_FILE}: prices") if written.prices else PRICES
    wrong = [f"aggregates.{key}: {why}" for key, one in written.aggregates.items() if (why := what_is_wrong(one))]
    if wrong:
        raise InvalidDocument(POLICY_FILE, wrong)
    return Policy(
        directions=written.directions,
        aggregates=written.aggregates,
        limits=written.limits,
        prices=prices,
        signatures=written.signatures,
        budget=written.budget,
    )


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidDocument(POLICY_FILE, ["it must hold a mapping, such as `directions:`"])
    return value
