"""What the compare page needs beside the columns of the table: the values behind verdicts, software and machines.

A verdict depends on the two settings that a reader chooses, of which there are too many pairs to judge them all ahead.
`assets/ledger/compare/verdict.js` judges in the browser as `ledger judge` does; a test asks both the same thousands of
questions. Decided in `.github/decisions/compare-page.md`.
"""

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from ledger.analysis.comparing.environment_difference import facts_of
from ledger.analysis.comparing.settings import code_key
from ledger.analysis.judging.judgement import Tried, gather
from ledger.hashing import hash_bytes
from ledger.model.entries import StoredRun
from ledger.model.values import Document
from ledger.publish.data.search_columns import Words
from ledger.publish.site.site_data import Atlas, board_name
from ledger.publish.text import one_line

COMPARISON_PATH = "data/comparison.js"

_LENGTH = 160
_IDENTITY = 12
"""Hexadecimal digits of a code's identity: two of a million codes share them once in 560 ledgers."""


class SettingValues(Document, frozen=True, kw_only=True):
    """The repeats of one setting in one comparable group."""

    setting: int
    """Number of the setting, as in the columns of the runs."""
    values: list[float]
    """Its finite values, one for each seed, with every digit."""
    lost: int = 0
    """Number of repeats without a finite value."""


class GroupValues(Document, frozen=True, kw_only=True, omit_defaults=False):
    """What verdicts in one comparable group are based on."""

    id: str
    """Its name, as in the columns of the runs."""
    total: float | None
    """Sum of squares within settings; none where it is no finite number."""
    freedom: int
    """Degrees of freedom of that sum."""
    count: int
    """Number of settings tried."""
    repeated: list[SettingValues]
    """Settings of more than one run; of all others the one value stands in the columns of the runs."""


class FactColumn(Document, frozen=True, kw_only=True):
    """A property of the software or of the machine of every run."""

    name: str
    """Its name."""
    kind: str
    """`code`, `environment` or `hardware`."""
    words: list[str]
    """Its distinct values."""
    codes: list[int]
    """Which word each run has; -1 where it is unknown."""


class ComparisonScript(Document, frozen=True, kw_only=True, omit_defaults=False):
    """The script that the compare page loads."""

    rows: int
    """How many runs."""
    newest: str
    """Id of the first run, which shows that this is of the same build as the columns."""
    groups: list[GroupValues]
    """Groups in which settings can be judged."""


class PartFacts(Document, frozen=True, kw_only=True, omit_defaults=False):
    """What the compare page says of the runs of a part beside their columns."""

    rows: int
    """How many runs."""
    facts: list[FactColumn]
    """Software and machines."""
    changes: Words
    """What was changed since the commit, in words; empty where nothing was, or nobody knows."""


def render_comparison_data(atlas: Atlas) -> bytes:
    """Return what verdicts are based on as a script."""
    told = ComparisonScript(
        rows=len(atlas.runs),
        newest=atlas.runs[-1].record.id if atlas.runs else "",
        groups=[_group(tried, atlas) for tried in gather(atlas.runs).values() if tried.count > 1],
    )
    return b'ledgerData("comparison", ' + msgspec.json.encode(told) + b");\n"


def render_facts(name: str, runs: Sequence[StoredRun]) -> bytes:
    """Return software and machines of a part's runs as a script, in the order of its columns: newest first."""
    told = PartFacts(rows=len(runs), facts=_facts(runs), changes=_encode([_changes(run) for run in runs]))
    return b'ledgerData("facts:%s", %s);\n' % (name.encode(), msgspec.json.encode(told))


def _group(tried: Tried, atlas: Atlas) -> GroupValues:
    members = Counter(tried.place.values())
    total, freedom = tried.pooled
    return GroupValues(
        id=board_name(tried.group),
        total=total if math.isfinite(total) else None,
        freedom=freedom,
        count=tried.count,
        repeated=[
            SettingValues(setting=atlas.settings[one.runs[0]], values=list(one.values), lost=tried.lost.get(at, 0))
            for at, one in enumerate(tried.settings)
            if members[at] > 1
        ],
    )


def _facts(runs: Sequence[StoredRun]) -> list[FactColumn]:
    told = [
        {(kind, name): value or "" for kind, part in facts_of(run.record).items() for name, value in part.items()}
        | {("hardware", "host"): run.record.hardware.host or "", ("code", "identity"): _code_of(run)}
        for run in runs
    ]
    columns = []
    for kind, name in dict.fromkeys(one for facts in told for one in facts):
        words = _encode([facts.get((kind, name), "") for facts in told])
        if words.words:
            columns.append(FactColumn(name=one_line(name, _LENGTH), kind=kind, words=words.words, codes=words.codes))
    return columns


def _code_of(run: StoredRun) -> str:
    """Return a short text that runs of the same code share; empty where the code is unknown."""
    key = code_key(run)
    return hash_bytes(key.encode("utf-8", "surrogatepass")).partition(":")[2][:_IDENTITY] if key else ""


def _encode(values: Sequence[str]) -> Words:
    index: dict[str, int] = {}
    codes = [index.setdefault(one_line(value, _LENGTH), len(index)) if value else -1 for value in values]
    return Words(words=list(index), codes=codes)


def _changes(run: StoredRun) -> str:
    patch = run.record.code.patch
    if patch is None:
        return ""
    return f"{patch.files} {'files' if patch.files != 1 else 'file'}, +{patch.added} -{patch.removed} lines"
