"""The register of hostile proposals: each a function that makes real git objects, and the rule that must catch it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ledger.model.paths import run_path
from tests.store.integrity.check.forge import Forge, Proposed, named

Make = Callable[[Forge], Proposed | str]


class Hostile(NamedTuple):
    """One proposal."""

    name: str
    rule: str | None
    """What must catch it; none where it is let pass, because it can do no harm."""
    make: Make
    said: str = ""
    """Part of the message."""
    weight: str = "error"
    anywhere: bool = False
    """Whether no path can be named, because it is about history as a whole."""


CORPUS: list[Hostile] = []


def hostile(
    rule: str | None, said: str = "", *, weight: str = "error", anywhere: bool = False
) -> Callable[[Make], Make]:
    """Put a proposal into the corpus."""

    def keep(make: Make) -> Make:
        CORPUS.append(Hostile(make.__name__.replace("_", " "), rule, make, said, weight, anywhere))
        return make

    return keep


def each(rule: str | None, said: str, cases: dict[str, Make], *, weight: str = "error") -> None:
    """Put proposals that differ little into the corpus."""
    CORPUS.extend(Hostile(name, rule, make, said, weight) for name, make in cases.items())


def record_of(forge: Forge) -> str:
    return f"{run_path(forge.run_id)}/record.json"


def with_figure(forge: Forge, data: bytes, file: str) -> str:
    run = forge.run(lambda record: record["results"].update(figures=[{**named(data, file), "title": "a"}]))
    return forge.put({**run, f"{next(iter(run)).rpartition('/')[0]}/{file}": data})


def edit(edit: Callable[[dict[str, Any]], object]) -> Make:
    return lambda forge: forge.put(forge.run(edit))
