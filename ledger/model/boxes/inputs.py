"""The boxes of a run record on what went in: params, and the data."""

from ledger.model.boxes.box import Box
from ledger.model.datasets import Leak, Preparation
from ledger.model.feed import Feed
from ledger.model.values import (
    Document,
    ParamValue,
    Role,
    StepStage,
)


class Step(Document, frozen=True, kw_only=True):
    """A step around the model, such as augmentation or post-processing; its params are those that its name begins."""

    name: str
    """Name of the step, such as `augment`: the param `augment.flip` is a param of this step."""
    stage: StepStage
    """Place of the step: `input` between data and model, `output` between model and metric."""
    code: str | None = None
    """Hash of its code, of the project's code that it calls, and of its objects' state; none where none was given."""
    function: str | None = None
    """Name of the function, or text of the object, whose code it is."""
    unknown: str | None = None
    """Why its code has no hash, although it was given."""


class Params(Box, frozen=True, kw_only=True):
    """The inputs that a person or a sweep chose."""

    values: dict[str, ParamValue] = {}
    """Every param by its dotted name."""
    sources: list[str] = []
    """Files that the params were read from."""
    places: list[str] = []
    """Params that only say where files go, by the policy of that time: runs that differ only in them are repeats."""
    chain: list[Step] = []
    """Steps around the model, in their order: those of its input first, then those of its output."""

    def of_step(self, step: Step) -> dict[str, ParamValue]:
        """Return the params of a step, by their names within it; a param of exactly its name keeps that name."""
        start = f"{step.name}."
        return {
            name.removeprefix(start): value
            for name, value in self.values.items()
            if name.startswith(start) or name == step.name
        }


class DatasetUse(Document, frozen=True, kw_only=True):
    """One dataset version as a run used it."""

    role: Role
    """What the run used it for."""
    split: str
    """Split that it stands for in metric names."""
    name: str | None = None
    """Name of the dataset on the ledger."""
    version: str | None = None
    """Label of the dataset version on the ledger."""
    hash: str | None = None
    """Content hash of the version's listing of paths, sizes and hashes; `declared:…` where its bytes were not read."""
    declared: bool = False
    """Whether it was only declared, by name and version or by address, so that its bytes were not read or verified."""
    memory: str | None = None
    """Type of the object in memory, with its shape or length; none for files."""
    path: str | None = None
    """Path at which the run found it."""
    files: int | None = None
    """Number of files."""
    bytes: int | None = None
    """Size of all its files in bytes."""
    samples: int | None = None
    """Number of samples, where the run stated it."""
    prepared: Preparation | None = None
    """How it was made from other data, when a step of `ledger prepare` or `@ledger.cached` made it."""
    aliases: list[str] = []
    """Other names of its split in metrics and curves, by the policy of that time, such as `val` or `eval`."""

    @property
    def label(self) -> str:
        """The name shown to people: `name@version`, or the best that is known."""
        name = self.name or self.path or self.role
        version = f"@{self.version}" if self.name and self.version else ""
        return f"{name}{version}{' (declared)' if self.declared else ''}"


class Datasets(Box, frozen=True, kw_only=True):
    """The datasets that the run trained and was evaluated on."""

    used: list[DatasetUse] = []
    """Every dataset version the run used."""
    leaks: list[Leak] = []
    """Content that evaluation datasets share with training datasets."""
    feeds: list[Feed] = []
    """How `ledger.batches` fed the run: the plan of the batches, and what of it was served."""
