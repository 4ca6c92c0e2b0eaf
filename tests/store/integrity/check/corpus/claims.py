"""Documents that contradict themselves, what stands beside them, or the version that they name."""

import json
from collections.abc import Callable
from typing import Any

from ledger.hashing import hash_bytes
from tests.store.integrity.check.corpus.register import Make, each, edit, hostile
from tests.store.integrity.check.forge import Forge, named

Record = dict[str, Any]
OTHER = f"blake3:{'0' * 64}"


def _set(field: str, value: object) -> Make:
    """Return a proposal of a record in which one field has another value."""

    def change(record: Record) -> None:
        *way, last = field.split(".")
        for step in way:
            record = record.setdefault(step, {})
        record[last] = value

    return edit(change)


def _metric(**fields: object) -> Make:
    return edit(lambda record: record["results"]["metrics"][0].update(fields))


def _also(**fields: object) -> Make:
    """Return a proposal of a record with a second metric like the first."""
    return edit(lambda record: record["results"]["metrics"].append({**record["results"]["metrics"][0], **fields}))


def _used(**fields: object) -> Make:
    return edit(lambda record: record["datasets"]["used"][0].update(fields))


_ROW = {
    "currency": "EUR",
    "gpu": "L4",
    "kind": "on-demand",
    "price_per_hour": 1.0,
    "source": "list",
    "valid_from": "2026-01-01",
}
"""A row of prices that keeps the rules."""
each(
    "claim",
    "is negative",
    {
        f"a negative {field}": _set(field, value)
        for field, value in {
            "hardware.cores": -1,
            "hardware.cores_limit": -0.5,
            "hardware.memory_bytes": -1,
            "hardware.disk_bytes": -8,
            "hardware.processes": -2,
            "hardware.usage": {"samples": -1, "interval_seconds": 1.0},
            "hardware.gpus": [{"name": "H100", "energy_kwh": -0.1}],
            "cost.amount": -5.0,
            "cost.energy_kwh": -1.0,
            "cost.price_per_hour": -2.5,
            "cost.device_count": -1.0,
            "cost.idle_amount": -0.1,
            "model.bytes": -1,
            "model.parameters": -7,
            "model.trainable": -7,
            "logs.bytes": -1,
            "logs.lines": -1,
            "logs.warnings": {"x": -3},
            "redactions": {"token": -1},
            "environment.packages": -4,
        }.items()
    },
)
each(
    "claim",
    "does not fit in 64 bits",
    {
        "a seed of 65 bits": _set("seed", 1 << 64),
        "a seed far below zero": _set("seed", -(1 << 63) - 1),
        "a model of more parameters than atoms": _set("model.parameters", 10**80),
        "an exit code of 200 digits": _set("exit_code", 10**200),
    },
)
each(
    "claim",
    "is in the year",
    {
        f"a run of the year {moment[:4]}": _set("timing.started_at", moment)
        for moment in ("0001-01-01T00:00:00Z", "1900-01-01T00:00:00Z", "1969-12-31T23:59:59Z")
    }
    | {
        "a run that ended in the year 9999": _set("timing.ended_at", "9999-12-31T23:59:59Z"),
        "a note of the year 2999": lambda forge: forge.put(
            forge.note(lambda one: one.update(noted_at="2999-01-01T00:00:00Z"))
        ),
    },
)
each(
    "claim",
    "is not in UTC",
    {
        f"a time at {zone}": _set("timing.started_at", f"2026-11-20T10:00:00{zone}")
        for zone in ("+05:00", "-11:30", "+00:01")
    },
)
each(
    "claim",
    "is not a hash",
    {
        "a dataset hash of letters": _used(hash="zzzz"),
        "a dataset hash cut short": _used(hash="blake3:00ff"),
        "a dataset hash of an algorithm that is not ours": _used(hash=f"crc32:{'0' * 64}"),
        "a hash with a line feed": _used(hash=f"blake3:{'0' * 64}\n"),
        "a metric on a hash that is none": _metric(dataset_hash="zzzz"),
    },
)
each(
    "claim",
    "the full id of a git object",
    {
        f"the commit {commit!a}": _set("code.commit", commit)
        for commit in ("main", "git:HEAD~1", "git:--output=canary", "git:" + "a" * 39, "git:" + "a" * 40 + "\n", "")
    }
    | {"a tree that is a path": _set("code.tree", "git:HEAD:../..")},
)
each(
    "claim",
    "not a currency",
    {
        f"the currency {text[:20]!a}": _set("cost.currency", text)
        for text in ("E" * 900, "eur", "", "EUR ", "<b>", "\u202eRUE")
    }
    | {
        "the currency of a row of prices": _set("cost.row", {**_ROW, "currency": "euro"}),
        "the currency of energy": _set("cost.energy_currency", "kWh"),
    },
)
each("claim", "before its first day", {"a price that never held": _set("cost.row", {**_ROW, "valid_to": "2025-01-01"})})
each(
    "claim",
    "exactly one of instance, gpu and partition",
    {
        "a price of nothing": _set("cost.row", {name: value for name, value in _ROW.items() if name != "gpu"}),
        "a price of two things": _set("cost.row", {**_ROW, "instance": "p5.48xlarge"}),
    },
)
each(
    "claim",
    "spread over no time",
    {
        f"a machine used {use:g} of the time for {years:g} years": _set(
            "cost.row", {**_ROW, "kind": "owned", "owned": {"price": 1.0, "years": years, "use": use}}
        )
        for years, use in ((0.0, 0.5), (3.0, 0.0), (3.0, 1.5))
    },
)
each("claim", "less than 1", {"a site that uses less than its machines": _set("cost.pue", 0.5)})
each(
    "claim",
    "cannot be the name of a dataset",
    {
        "a version that leads out": _used(version="../v1"),
        "a version with a slash": _used(version="v1/x"),
        "a name with signs of versions": _used(name="a@b@c"),
        "a name with a slash": _used(name="a/b"),
        "a name that leads out": _used(name="..", version=None),
        "a name like an option": _used(name="-rf"),
        "a name with a backslash": _used(name="a\\b"),
    },
)
each(
    "claim",
    "a run is not its own",
    {
        "a run that is its own parent": edit(lambda record: record.update(parent=record["id"])),
        "a run that is its own baseline": edit(lambda record: record.update(baseline=record["id"])),
        "a run that is its own child": edit(lambda record: record.update(children=[record["id"]])),
    },
)
each(
    "claim",
    "",
    {
        "more trainable parameters than there are": edit(
            lambda record: record["model"].update(parameters=10, trainable=11, unknown={})
        ),
        "a rank beyond its processes": edit(lambda record: record["hardware"].update(processes=2, rank=2)),
        "more free space than the disk has": edit(
            lambda record: record["hardware"].update(disk_bytes=10, disk_free_bytes=11)
        ),
        "more values that are not finite than values": edit(
            lambda record: record["statistics"].update(
                series={
                    "loss": dict.fromkeys(("first", "last", "min", "max", "mean", "stdev"), 1.0)
                    | {"count": 1, "not_finite": 2}
                },
                unknown={},
            )
        ),
    },
)
each(
    "claim",
    "a metric is stated twice",
    {
        "a metric with two values": _also(value=0.98),
        "a metric with one value, twice": _also(),
        "a metric that is also NaN": _also(value="NaN"),
        "a metric that stands twice in an evaluation": lambda forge: forge.put(
            forge.evaluation(lambda one: one["metrics"].append({**one["metrics"][0], "value": 0.9}))
        ),
    },
)
each(
    "claim",
    "was measured on other content than the run used",
    {"a metric on other content of a dataset of the run": _metric(dataset_hash=OTHER)},
)
each(
    "claim",
    "has other content than that version",
    {
        "a version of the ledger with other content": edit(
            lambda record: (
                record["datasets"]["used"][0].update(hash=OTHER),
                record["results"]["metrics"][0].update(dataset_hash=OTHER),
            )
        ),
        "a metric on a version of the ledger with other content": edit(
            lambda record: (
                record["datasets"].update(used=[]),
                record["results"]["metrics"][0].update(dataset_hash=OTHER),
            )
        ),
    },
)
each(
    "plausible",
    "data that the run did not use",
    {
        "a metric on a dataset that nobody used": _metric(dataset="other@v1", dataset_hash=OTHER),
        "a metric on a dataset that has only a name": _metric(dataset="other", dataset_hash=None),
    },
    weight="warning",
)


@hostile("plausible", "is the same data as", weight="warning")
def data_to_judge_by_that_was_trained_on(forge: Forge) -> str:
    def twice(record: Record) -> None:
        used = record["datasets"]["used"]
        used.append({**used[0], "role": "train", "split": "train", "name": None, "version": None, "path": "data"})

    return forge.put(forge.run(twice))


each(
    "text",
    "",
    {
        "an experiment without a name": _set("experiment", ""),
        "an experiment of blanks": _set("experiment", " \u2003 "),
        "an experiment of fillers": _set("experiment", "\u3164\u2800"),
        "an experiment of 9,000 letters": _set("experiment", "x" * 9000),
        "a tag of 9,000 letters": _set("tags", ["x" * 9000]),
        "a tag without a letter": _set("tags", ["ok", ""]),
        "100,000 tags": _set("tags", [str(number) for number in range(100_000)]),
        "a metric without a name": _metric(name=""),
        "a split of blanks": _metric(split=" "),
        "a name with nothing between its letters": _metric(name="acc\u200buracy"),
        "a name with tag characters": _set("experiment", "a\U000e0041\U000e0042"),
        "a name with a variation selector": _set("tags", ["a\ufe0f"]),
        "a name with a supplementary variation selector": _set("tags", ["a\U000e0100"]),
        "a soft hyphen in a tag": _set("tags", ["tuned\xadbest"]),
        "a dataset of 300 letters": _used(name="d" * 300),
        "a tag in a later note that is not seen": lambda forge: forge.put(
            forge.note(lambda one: one.update(kind="tag", text="best\u2060"))
        ),
    },
)
each(
    "text",
    "letters that look alike",
    {
        "a Cyrillic letter in a metric": _metric(name="\u0430ccuracy"),
        "a Greek letter in an experiment": _set("experiment", "Digits\u039f"),
        "wide letters in a tag": _set("tags", ["\uff42\uff45\uff53\uff54"]),
        "mathematical letters in a tag": _set("tags", ["\U0001d41b\U0001d41e\U0001d42c\U0001d42d"]),
        "a word of Cyrillic letters that reads as Latin": _set("experiment", "\u0441\u043e\u0440\u0435"),
    },
    weight="warning",
)
each(
    "text",
    "form C",
    {"a letter with its accent beside it": _set("experiment", "cafe\u0301")},
    weight="warning",
)
each(
    "text",
    "invisible characters",
    {
        "a character without width in a note": _set("note", "all\u200bwell"),
        "tag characters in a host": _set("hardware.host", "node\U000e0067"),
        "a word joiner in a param": _set("params.values", {"x": "a\u2060b"}),
    },
    weight="warning",
)
each(
    None,
    "",
    {
        "Persian with its joiners": _set("note", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        "a family of emoji": _set("note", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        "a Greek symbol in a tag": _set("tags", ["\u03b2_1"]),
        "a square in a tag": _set("tags", ["R\u00b2"]),
        "a Russian experiment": _set("experiment", "\u0442\u043e\u0447\u043d\u043e\u0441\u0442\u044c"),
    },
)


def _with(files: Callable[[Record], dict[str, bytes]]) -> Make:
    """Return a proposal of a run with files beside its record, which name them in it."""

    def make(forge: Forge) -> str:
        made: dict[str, bytes] = {}
        run = forge.run(lambda record: made.update(files(record)))
        folder = next(iter(run)).rpartition("/")[0]
        return forge.put(run | {f"{folder}/{name}": data for name, data in made.items()})

    return make


CURVES = b"step,epoch,seconds,loss\n1,,0.5,2.0\n2,,1.0,1.5\n"
TABLE = b"slice,accuracy,samples\nnight,0.7,120\nday,0.9,300\n"
PNG = b"\x89PNG\r\n\x1a\n"


def _curves(data: bytes = CURVES, **said: object) -> Make:
    def files(record: Record) -> dict[str, bytes]:
        facts = {"hash": hash_bytes(data), "series": ["loss"], "points": 2, "logged": 2} | said
        record["results"]["curves"] = facts
        return {"curves.csv": data}

    return _with(files)


def _table(data: bytes = TABLE, **said: object) -> Make:
    def files(record: Record) -> dict[str, bytes]:
        facts = {**named(data, "tables/a.csv"), "name": "a", "rows": 2, "columns": 3} | said
        record["statistics"] = {"tables": [facts]}
        return {"tables/a.csv": data}

    return _with(files)


def _figures(*said: Record) -> Make:
    def files(record: Record) -> dict[str, bytes]:
        record["results"]["figures"] = [{**named(PNG, "figures/a.png"), "title": "a", **one} for one in said]
        return {"figures/a.png": PNG}

    return _with(files)


each(None, "", {"good curves": _curves(), "a good table": _table(), "a good figure": _figures({})})
each(
    "content",
    "",
    {
        "curves of other series": _curves(series=["accuracy"]),
        "curves of more series than there are": _curves(series=["accuracy", "loss"]),
        "curves of more points than there are": _curves(points=10**15),
        "curves that are a page": _curves(b"<html>\n", series=[], points=0),
        "curves with words in them": _curves(CURVES.replace(b"1.5", b"=cmd()")),
        "curves with a cell too many": _curves(CURVES.replace(b"1.5", b"1.5,9")),
        "a table of 10^15 rows": _table(rows=10**15),
        "a table of fewer columns than there are": _table(columns=1),
        "a table of other bytes": _table(bytes=1),
        "a figure of other bytes": _figures({"bytes": 10**12}),
    },
)
each("claim", "named twice", {"two figures of one file": _figures({}, {"title": "b"})})
each("claim", "is negative", {"a table of -1 columns": _table(columns=-1)})
each("claim", "is negative", {"a figure of -1 bytes": _figures({"bytes": -1})})


@hostile("size", "limits.metrics")
def a_record_of_20_000_metrics(forge: Forge) -> str:
    def many(record: Record) -> None:
        first = record["results"]["metrics"][0]
        record["results"]["metrics"] = [{**first, "name": f"m{number}"} for number in range(20_000)]
        record["results"].pop("headline", None)

    return forge.put(forge.run(many))


@hostile("document", "a key appears twice")
def a_metric_whose_value_stands_twice(forge: Forge) -> str:
    run = forge.run()
    path = next(iter(run))
    return forge.put({**run, path: run[path].replace(b'"value": 0.5', b'"value": 0.1,\n        "value": 0.5', 1)})


@hostile("document", "")
def bytes_after_the_end(forge: Forge) -> str:
    run = forge.run()
    path = next(iter(run))
    return forge.put({**run, path: run[path] + b"\n"})


@hostile("document", "belongs at another path")
def a_run_under_another_day(forge: Forge) -> str:
    run = forge.run()
    path = next(iter(run))
    day = "/".join(path.split("/")[1:4])
    return forge.put({name.replace(day, "2020/01/02"): data for name, data in run.items()})


@hostile("document", "")
def a_note_under_the_name_of_another(forge: Forge) -> str:
    note = forge.note()
    path, data = next(iter(note.items()))
    document = json.loads(data)
    return forge.put({path.replace(document["id"], forge.new_id()): data})
