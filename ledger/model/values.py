"""The basic value types of documents: numbers, names, directions."""

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ledger.errors import LedgerError
from ledger.model.characters import composed, is_blank, unseen_in
from ledger.model.characters import is_plain_text as is_plain_text  # noqa: PLC0414  # exported together with labels
from ledger.model.characters import plain as plain  # noqa: PLC0414  # the same

Number = float | Literal["NaN", "Infinity", "-Infinity"]
"""A measured number as it stands in JSON, where NaN and the infinities have no literal."""

ParamValue = bool | int | float | str | list[bool | int | float | str | None] | None
"""A param as it stands in JSON; nested params are flattened to dotted names."""

Direction = Literal["higher", "lower"]
"""Which values of a metric are better; `None` where nobody stated it."""

Origin = Literal["said", "curve", "file"]
"""Origin of a metric: somebody reported it, it is the last value of a learning curve, or a file that the training left
holds it."""
ORIGIN_MARK: dict[Origin, str] = {"said": "", "curve": " (from the curve)", "file": " (from a file)"}
"""How each origin is marked behind a value."""

Moment = Annotated[datetime, Meta(tz=True)]
"""A time with a time zone: without one, the order of two times is unknown."""

Role = Literal["train", "validation", "test", "production"]
"""Role of a dataset in a run."""

Status = Literal["running", "finished", "failed", "interrupted", "killed", "preempted", "pruned", "lost"]
"""How a run ended; `pruned` was stopped on purpose; `running` occurs only in spools, never in a record."""

Reduction = Literal["mean", "sum", "max", "min"]
"""How the values of several ranks become one."""

NoteKind = Literal[
    "comment", "tag", "untag", "retraction", "baseline", "retirement", "milestone",
    "acceptance", "rejection", "retest", "continued", "continues", "question", "hypothesis", "conclusion",
]  # fmt: skip
"""What a later statement about a run does: say something, add or take away a tag, withdraw the run, compare with it,
name it as evidence that a model reached a stage, say what a reviewer decided, join it with another attempt. The last
three are about an experiment: what it asks, what its authors expect, what it showed."""

OF_EXPERIMENTS: tuple[NoteKind, ...] = ("question", "hypothesis", "conclusion")
"""Kinds of statements about an experiment; the latest of each stands."""

CRASHED: tuple[Status, ...] = ("failed", "killed", "lost")
"""How runs ended whose cost bought nothing that anybody chose to stop."""

WITHDRAWN = frozenset({"retracted", "continued"})
"""How a run stands that never counts, whatever else is included: it was retracted, or another attempt speaks for it."""

TableKind = Literal["table", "confusion", "classes", "slices", "calibration", "samples", "layers"]
"""Kind of a table of a run, which decides its columns: see `model/tables.py`."""

StepStage = Literal["input", "output"]
"""Place of a step around the model: it makes the input of the model, or an answer of its output."""

DEFAULT_EXPERIMENT = "default"
"""Experiment of a run for which nobody names one."""

LABEL_LENGTH = 200
"""Most characters of a name."""
_SLICE = re.compile(r"(?P<name>.+)\[(?P<slice>[^\[\]]+)\]")
_PERIOD = re.compile(r"\d{4}-\d\d-\d\d/\d{4}-\d\d-\d\d", re.ASCII)
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


class Document(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The base of every typed value: frozen, built by keyword, defaults left out of the JSON."""

    # gc=False: frozen values cannot refer to themselves, and the garbage collector's passes over
    # 10,000 records were a third of the cost of reading them (151 µs a record with, 109 without).

    def __reduce__(self) -> "tuple[Callable[..., Document], tuple[type[Document], dict[str, object]]]":
        """Leave out of a pickle the texts that are defaults: a document from another process then has the same bytes.

        msgspec knows a default by its identity, and a text that was unpickled is another object.
        """
        fields, defaults = self.__struct_fields__, self.__struct_defaults__
        known = dict(zip(fields[len(fields) - len(defaults) :], defaults, strict=True))
        values = {name: getattr(self, name) for name in fields}
        kept = {
            name: value for name, value in values.items() if not (isinstance(value, str) and value == known.get(name))
        }
        return _unpickled, (type(self), kept)


def _unpickled(kind: type[Document], values: dict[str, object]) -> Document:
    return kind(**values)


def number(value: float) -> Number:
    """Return `value` as JSON can hold it: NaN and the infinities become their names."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return names in one line, of many only the first: `a, b and 7 more`."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: `1 entry`, `2 entries`, `2 days`, `2 batches`."""
    ends_in_y = noun.endswith("y") and noun[-2:-1] not in set("aeiou")
    many = f"{noun[:-1]}ies" if ends_in_y else f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{count} {noun if count == 1 else many}"


def parse_slice(name: str) -> tuple[str, str | None]:
    """Return the metric and the slice in a name: `accuracy[night]` is accuracy on the slice `night`."""
    found = _SLICE.fullmatch(name)
    return (found["name"], found["slice"]) if found else (name, None)


DECLARED = "declared:"
"""Prefix in place of a content hash, where the content was not read."""


def declared_hash(name: str) -> str:
    """Return the identity of data that was not read: data of equal names is equal, whoever declared it."""
    return f"{DECLARED}{name}"


def is_declared_hash(content: str) -> bool:
    """Return whether a hash stands for data that was not read."""
    return content.startswith(DECLARED)


def check_label(field: str, text: str) -> str:
    """Return `text` in Unicode's form C when it is a valid label: one line, not empty, at most 200 characters.

    Raises:
        LedgerError: it is empty, too long, or holds invisible characters.
    """
    if why := wrong_label(field, text):
        raise LedgerError(why)
    return composed(text)


def wrong_label(field: str, text: str, *, longest: int = LABEL_LENGTH) -> str | None:
    """Return why a text cannot be a name; none when it can.

    Args:
        field: what it is the name of.
        text: the name.
        longest: characters at most.
    """
    if text.isascii() and text.isprintable() and len(text) <= longest and not text.isspace() and text:
        return None
    if not text.strip():
        return f"{field} must not be empty"
    if len(text) > longest:
        return f"{field} is longer than {longest} characters: `{plain(text[:40])}…`"
    if is_blank(text):
        return f"{field} must not be empty, but all its characters are invisible: `{ascii(text)[1:-1]}`"
    if unseen_in(text, label=True):
        return f"{field} holds control or invisible characters: `{ascii(text)[1:-1]}`"
    return None


def check_period(text: str) -> str:
    """Return `text` when it is a period, its first and last day: `2026-11-01/2026-11-07` (ISO 8601, section 4.4).

    Raises:
        LedgerError: it does not, or ends before it begins.
    """
    first, _, last = text.partition("/")
    try:
        backwards = date.fromisoformat(last) < date.fromisoformat(first)
    except ValueError:
        backwards = True
    # `fromisoformat` takes other forms of a day, too, such as 2026-W45-1; one period in two forms is not comparable.
    if backwards or not _PERIOD.fullmatch(text):
        raise LedgerError(
            f"a period must be a first and a last day: `{ascii(text)[1:-1]}`", hint="such as 2026-11-01/2026-11-07"
        )
    return text


def check_slug(field: str, text: str) -> str:
    """Return `text` when it can stand in a path, a URL and a shell word.

    Raises:
        LedgerError: it cannot; the hint offers a name that can.
    """
    if _SLUG.fullmatch(text) and ".." not in text and not text.endswith("."):  # Windows has no such file
        return text
    raise LedgerError(
        f"{field} must be lower-case letters, digits, `.`, `_` or `-`: `{ascii(text)[1:-1]}`",
        hint=f"use `{slug(text)}`",
    )


def slug(text: str) -> str:
    """Return the nearest name that `check_slug` accepts; two texts may give the same one."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9._-]+", "-", folded).strip("-._")[:80]
    return re.sub(r"\.\.+", ".", name).rstrip(".") or "unnamed"
