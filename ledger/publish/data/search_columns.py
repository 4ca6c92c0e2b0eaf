"""The data that the table, the search and the compare page scan, by column: parts of runs, and what they share."""

from ledger.model.values import Document, ParamValue


class Words(Document, frozen=True, kw_only=True):
    """A column of repeated words: each once, and the index for each row (-1 for none)."""

    words: list[str]
    """Words in the order they first appear."""
    codes: list[int]
    """Row to index of its word."""


class WordLists(Document, frozen=True, kw_only=True):
    """A column of several words a row."""

    words: list[str]
    """Words in the order they first appear."""
    codes: list[list[int]]
    """Row to indexes of its words."""


class FieldColumn(Document, frozen=True, kw_only=True):
    """A field of every run for queries."""

    name: str
    """Its name."""
    values: list[ParamValue]
    """Values in the order they first appear."""
    codes: list[int]
    """Row to index of its value, -1 for none; empty where every run has the same, or where `values` is empty none."""


class ParamColumn(Document, frozen=True, kw_only=True):
    """One param, as typed."""

    name: str
    """Its name."""
    words: list[str]
    """Values in the order they first appear, as they are shown; different values may be shown alike."""
    exact: dict[str, ParamValue]
    """Index to value, where the word is neither the number that it reads as nor a text that reads as no number."""
    codes: list[int]
    """Row to index of its value; -1 where the run had no such param."""


class GroupHead(Document, frozen=True, kw_only=True):
    """One comparable group."""

    id: str
    """Permanent identity: URLs name columns by it."""

    key: str
    """Metric and split."""
    dataset: str
    """Dataset version."""
    evaluator: str
    """Evaluator version; empty when none was given."""
    known: bool
    """Whether values are comparable at all."""
    direction: str
    """Which values are better; empty when not stated."""
    page: str
    """Where its leaderboard stands; empty where no run in it counts."""


class GroupColumn(Document, frozen=True, kw_only=True):
    """The values of one comparable group."""

    id: str
    """Its identity."""
    rows: list[int] | None
    """Rows that have a value; none when every row is listed in `values`."""
    values: list[float | str | None]
    """Six significant digits each; NaN and the infinities by their names."""


class TablePart(Document, frozen=True, kw_only=True):
    """A part of the runs: its columns, and the numbers and facts of the same runs, are files of this name."""

    name: str
    """Name of its files, which differs where their content does."""
    rows: int
    """How many runs."""


class TableHead(Document, frozen=True, kw_only=True, omit_defaults=False):
    """What the parts of the table have in common."""

    rows: int
    """How many runs."""
    older: int
    """How many of them, at the end, have no page of their own."""
    parts: list[TablePart]
    """The parts, newest runs first."""
    shown_params: list[str]
    """Params that the table shows at first."""
    told_params: list[str]
    """Params that differ between runs, those that the headline metric moves with most first."""
    shown_metrics: list[str]
    """Ids of the `metrics` that the table shows at first, those on the newest dataset version first."""
    metrics: list[GroupHead]
    """Every comparable group, those of headline metrics first."""
    keys: list[str]
    """Metrics that queries may ask for."""
    splits: dict[str, str]
    """Other names of splits, in lower case, and what they stand for."""


class RunColumns(Document, frozen=True, kw_only=True, omit_defaults=False):
    """The runs of a part, newest first, column by column."""

    rows: int
    """How many runs."""
    id: list[str]
    """Run ids."""
    name: list[str]
    """What tells each apart from the others of its experiment."""
    status: Words
    """How each ended."""
    experiment: Words
    """Experiment."""
    author: Words
    """Name of the author."""
    commit: Words
    """Commit, shortened."""
    tags: WordLists
    """Tags."""
    note: Words
    """Note, shortened."""
    started: list[int]
    """Seconds since 1970."""
    duration: list[float | None]
    """Seconds."""
    cost: list[float | None]
    """Amount."""
    currency: Words
    """Currency of the amount."""
    setting: list[int]
    """Number of the setting: repeats have the same."""
    ranks: list[int]
    """Rows of other ranks of a training of which a row counts already: they are no repeats."""
    trained: Words
    """Dataset versions it was trained on."""
    seed: Words
    """Random seed."""
    changes: Words
    """Uncommitted changes, shortened."""
    curves: list[int]
    """1 where the run kept curves."""
    headline: list[int]
    """Which of `metrics` is the headline metric as the run measured it; -1 for none."""
    pages: list[str]
    """Experiment pages, in the order of the words of `experiment`."""
    gpus: Words
    """GPUs that it could use, with how many of each."""
    energy: list[float | None]
    """Energy of the GPUs, in kWh."""
    params: list[ParamColumn]
    """Every param."""
    metrics: list[GroupColumn]
    """Every comparable group that they were measured in."""
    fields: list[FieldColumn]
    """Fields of every run that are no numbers, whole."""
    spoken: WordLists
    """What free words are looked for in: the words of each text of a run but its id."""


class MetricNumbers(Document, frozen=True, kw_only=True):
    """Values of a metric for queries: of a run's own record, else of its latest evaluation."""

    key: str
    """Metric and split."""
    rows: list[int] | None
    """Rows that have a value; none when every row is listed in `values`."""
    values: list[float | str | None]
    """Values, whole; NaN and the infinities by their names."""
    groups: list[tuple[str, str]]
    """Comparable groups that they belong to: identity, and what was measured by whom."""
    codes: list[int]
    """Which of `groups` each of `values` belongs to; -1 for no value."""


class Numbers(Document, frozen=True, kw_only=True, omit_defaults=False):
    """The numbers of a part's runs that queries compare, with every digit."""

    rows: int
    """How many runs."""
    started: list[float]
    """Seconds since 1970, in order of the rows."""
    ended: list[float]
    """Seconds since 1970."""
    duration: list[float | None]
    """Seconds."""
    cost: list[float | None]
    """Amount."""
    metrics: list[MetricNumbers]
    """Every metric."""
