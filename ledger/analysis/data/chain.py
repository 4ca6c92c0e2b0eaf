"""The chain of a run: how data became the input of a model, and its output a number."""

from collections.abc import Iterator
from typing import Literal

from ledger.model.boxes.inputs import Step
from ledger.model.record import Record
from ledger.model.values import Document, ParamValue

LinkKind = Literal["data", "prepare", "step", "model", "metric"]
"""Kind of a link of the chain."""


class ChainLink(Document, frozen=True, kw_only=True):
    """One link of the chain."""

    kind: LinkKind
    """Kind of the link."""
    title: str
    """Title of the link: a dataset version, the name of a step, a metric; for the model, its format."""
    params: dict[str, ParamValue] = {}
    """Params of the step, by their names within it."""
    code: str | None = None
    """Hash of the code of the step."""
    function: str | None = None
    """Function or object whose code it is."""
    unknown: str | None = None
    """Why the code of the step has no hash."""


def chain_of(record: Record) -> list[ChainLink]:
    """Return data, preparation, steps of the input, model, steps of the output and headline metric, in this order.

    Empty where nobody stated a step and no data was prepared: the ten boxes say the rest.
    """
    prepared = any(use.prepared is not None for use in record.datasets.used)
    return list(_links(record)) if record.params.chain or prepared else []


def _links(record: Record) -> Iterator[ChainLink]:
    trained = [use for use in record.datasets.used if use.role == "train"]
    yield from (ChainLink(kind="data", title=use.label) for use in trained)
    if not trained:
        yield ChainLink(kind="data", title="unknown training data")
    made = {one.code: one for use in record.datasets.used if (one := use.prepared) is not None}
    for one in made.values():
        yield ChainLink(kind="prepare", title="prepare", function=one.step, code=one.code, params=one.params)
    yield from (_link(record, step) for step in record.params.chain if step.stage == "input")
    yield ChainLink(kind="model", title=record.model.format or "model")
    yield from (_link(record, step) for step in record.params.chain if step.stage == "output")
    headline = record.headline
    yield ChainLink(kind="metric", title=headline.key if headline else "no headline metric")


def _link(record: Record, step: Step) -> ChainLink:
    return ChainLink(
        kind="step",
        title=step.name,
        params=record.params.of_step(step),
        code=step.code,
        function=step.function,
        unknown=step.unknown,
    )
