"""Names in a query: each means a field of every run, a param or a metric, by what the ledger has.

Decided in `.github/decisions/query-language.md`. The site reads names by the same rules: `assets/ledger/query/`.
"""

from collections.abc import Iterable, Mapping

import msgspec

from ledger.analysis.query.fields import FIELDS
from ledger.analysis.query.language import Condition, Every, Not, Phrase, Query, Some
from ledger.errors import UsageError
from ledger.model.values import Document

PARAM, METRIC = "params.", "metrics."
_NAMED = 4
"""Most readings that an error names; of the rest it gives the number."""


class Meaning(Document, frozen=True, kw_only=True):
    """The meaning of a name."""

    field: str
    """Field that it means: one of `FIELDS`, `params.NAME` or `metrics.KEY`."""
    warning: str | None = None
    """The other reading, where a rule decided; none where there is no other."""


class Names:
    """The names of one ledger.

    Args:
        held: `params.NAME` and `metrics.KEY` of all runs.
        splits: split that each alias stands for; aliases in lower case.
    """

    def __init__(self, held: Iterable[str], splits: Mapping[str, str]) -> None:
        self._held = frozenset(held)
        self._splits = splits

    def read(self, name: str) -> Meaning:
        """Return the meaning of a name.

        A field of every run comes first; then the param or the metric of exactly that name; then the only one whose
        last part it is, after a `.` or a `/`.

        Raises:
            UsageError: nothing has this name, or several do.
        """
        if name.startswith(PARAM) and name != PARAM:
            return Meaning(field=name)
        if name.startswith(METRIC) and name != METRIC:
            return Meaning(field=self._metric(name))
        exact = {PARAM + name, self._metric(METRIC + name)} & self._held
        if name in FIELDS:
            # The seed of a run is taken from its param, so both readings agree.
            return Meaning(field=name, warning=_also(name, name, exact if name != "seed" else ()))
        longer = {field for field in self._held if name and field.endswith((f".{name}", f"/{name}"))} - exact
        found = sorted(exact or longer)
        if len(found) == 1:
            return Meaning(field=found[0], warning=_also(name, found[0], longer if exact else ()))
        if found:
            raise UsageError(f"`{name}` may mean {_listed(found)}", hint="write the one that is meant")
        raise self._nothing(name)

    def resolve(self, query: Query) -> tuple[Query, list[str]]:
        """Return a query with fields that runs have, and warnings about its names.

        Raises:
            UsageError: nothing has one of the names, or several have.
        """
        warnings: dict[str, None] = {}

        def read(part: Query) -> Query:
            match part:
                case Condition():
                    reading = self.read(part.field)
                    if reading.warning:
                        warnings[reading.warning] = None
                    return part if reading.field == part.field else msgspec.structs.replace(part, field=reading.field)
                case Every() | Some():
                    return msgspec.structs.replace(part, parts=tuple(map(read, part.parts)))
                case Not():
                    return Not(part=read(part.part))
                case Phrase():
                    return part

        return read(query), list(warnings)

    def _metric(self, field: str) -> str:
        """Return a metric under the split's name on the ledger: `val/loss` is `validation/loss`."""
        split, slash, rest = field.removeprefix(METRIC).partition("/")
        meant = self._splits.get(split.lower()) if slash else None
        return field if meant is None or field in self._held else f"{METRIC}{meant}/{rest}"

    def _nothing(self, name: str) -> UsageError:
        from difflib import get_close_matches

        short = {field.partition(".")[2]: field for field in sorted(self._held)}
        close = get_close_matches(name, [*FIELDS, *short], n=1)
        known = ", ".join((*FIELDS, "params.NAME", "metrics.SPLIT/NAME"))
        hint = f"did you mean `{close[0]}`?" if close else f"one of {known}"
        return UsageError(f"no such field, param or metric: `{name}`", hint=hint)


def _also(name: str, field: str, others: Iterable[str]) -> str | None:
    named = sorted(others)
    return f"`{name}` is read as `{field}`; there is also {_listed(named, 'and')}" if named else None


def _listed(fields: list[str], word: str = "or") -> str:
    named = [f"`{field}`" for field in fields[:_NAMED]]
    if len(fields) > _NAMED:
        named.append(f"{len(fields) - _NAMED} more")
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} {word} {named[-1]}"
