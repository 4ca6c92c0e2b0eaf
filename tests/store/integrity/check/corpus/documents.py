"""Documents that are not what their format asks for."""

import json
from collections.abc import Callable

from tests.store.integrity.check.corpus.register import Make, each, edit, hostile, record_of
from tests.store.integrity.check.forge import Forge


def _bytes(change: Callable[[bytes], bytes]) -> Make:
    def make(forge: Forge) -> str:
        run = forge.run()
        path = next(iter(run))
        return forge.put({**run, path: change(run[path])})

    return make


def _bomb(data: bytes) -> bytes:
    return b'{\n  "format": 1,\n  "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"," + data[1:]


each(
    "document",
    "",
    {
        "an empty file": _bytes(lambda _: b""),
        "no JSON": _bytes(lambda _: b"#!/bin/sh\ntouch canary\n"),
        "a list": _bytes(lambda _: b"[]\n"),
        "a depth bomb": _bytes(lambda _: b"[" * 1_000_000),
        "a depth bomb of mappings": _bytes(lambda _: b'{"a":' * 500_000),
        "a depth bomb in a field nobody knows": _bytes(_bomb),
        "a depth bomb in params": _bytes(
            lambda data: data.replace(b'"values": {', b'"values": {"x": ' + b"[" * 50_000, 1)
        ),
        "NaN": _bytes(lambda data: data.replace(b'"value": 0.5', b'"value": NaN')),
        "Infinity": _bytes(lambda data: data.replace(b'"value": 0.5', b'"value": -Infinity')),
        "a number beyond all numbers": _bytes(lambda data: data.replace(b'"value": 0.5', b'"value": 1e999')),
        "a number of a million digits": _bytes(
            lambda data: data.replace(b'"value": 0.5', b'"value": ' + b"9" * 1_000_000)
        ),
        "a format of a million digits": _bytes(
            lambda data: data.replace(b'"format": 1', b'"format": 1' + b"0" * 1_000_000)
        ),
        "UTF-16": _bytes(lambda data: data.decode().encode("utf-16")),
        "a byte order mark": _bytes(lambda data: b"\xef\xbb\xbf" + data),
        "not UTF-8": _bytes(lambda data: data.replace(b'"default"', b'"\xff\xfe"')),
        "zero bytes": _bytes(lambda data: data.replace(b'"default"', b'"a\0b"')),
        "half a surrogate": _bytes(lambda data: data.replace(b'"default"', b'"\\ud800"')),
        "line ends of Windows": _bytes(lambda data: data.replace(b"\n", b"\r\n")),
        "no indent": _bytes(lambda data: json.dumps(json.loads(data)).encode() + b"\n"),
        "another order of keys": _bytes(
            lambda data: json.dumps(dict(reversed(json.loads(data).items())), indent=2).encode() + b"\n"
        ),
        "two documents in one file": _bytes(lambda data: data + data),
        "escapes where none are needed": _bytes(lambda data: data.replace(b'"default"', b'"d\\u0065fault"')),
        "a newer format": _bytes(lambda data: data.replace(b'"format": 1', b'"format": 2')),
        "a format from before the first": _bytes(lambda data: data.replace(b'"format": 1', b'"format": 0')),
        "a negative format": _bytes(lambda data: data.replace(b'"format": 1', b'"format": -9')),
        "a format in words": _bytes(lambda data: data.replace(b'"format": 1', b'"format": "1"')),
        "a document without a format": _bytes(lambda data: data.replace(b'"format": 1,', b"")),
        "wrong types": edit(lambda record: record.update(seed="x", tags={}, exit_code=1.5, command="rm -rf /")),
        "missing boxes": edit(lambda record: [record.pop(name) for name in ("code", "params", "logs")]),
        "an unknown status": edit(lambda record: record.update(status="triumphant")),
        "a status of a run that still lives": _bytes(lambda data: data.replace(b'"finished"', b'"runnning"')),
        "a time without a zone": edit(lambda record: record["timing"].update(started_at="2026-11-20T10:00:00")),
        "a day that was not": edit(lambda record: record["timing"].update(ended_at="2026-02-30T10:00:00Z")),
        "params in params": edit(lambda record: record["params"].update(values={"a": {"b": 1}})),
        "a price instead of a record": _bytes(lambda _: b'{"amount": 1, "currency": "EUR"}\n'),
    },
)


@hostile("document", "a key appears twice")
def a_key_that_stands_twice(forge: Forge) -> str:
    return _twice(forge, b'"status": "finished"', b'"status": "failed",\n  "status": "finished"')


@hostile("document", "a key appears twice")
def a_param_that_stands_twice(forge: Forge) -> str:
    return _twice(forge, b'"lr":', b'"lr": 9,\n      "lr":')


def _twice(forge: Forge, old: bytes, new: bytes) -> str:
    proposed = _bytes(lambda data: data.replace(old, new, 1))(forge)
    assert isinstance(proposed, str)
    return proposed


@hostile("document", "no field of this format")
def a_field_that_nobody_knows(forge: Forge) -> str:
    return _twice(forge, b'"status":', b'"payload": "anything",\n  "status":')


@hostile("document", "belongs at another path")
def an_id_of_another_run(forge: Forge) -> str:
    run = forge.run()
    path = next(iter(run))
    return forge.put({path: forge.content(record_of(forge))})


@hostile("document", "not an id")
def an_id_that_is_a_path(forge: Forge) -> str:
    run = forge.run()
    path = next(iter(run))
    return forge.put({**run, path: run[path].replace(path.split("/")[4].encode(), b"../../../../canary")})


@hostile("document", "a milestone has a stage")
def a_stage_without_a_milestone(forge: Forge) -> str:
    return forge.put(forge.note(lambda note: note.update(stage=3)))


@hostile("document", "")
def a_record_in_the_place_of_a_note(forge: Forge) -> str:
    return forge.put({next(iter(forge.note())): next(iter(forge.run().values()))})


@hostile("document", "")
def a_hostile_dataset_version(forge: Forge) -> str:
    return forge.put({"datasets/digits/v2/dataset.json": b'{"format": 1, "name": "../..", "version": "-x"}\n'})


@hostile("document", "")
def one_object_as_log_and_as_record(forge: Forge) -> str:
    run = forge.run(log_dot_txt=b"not json\n")
    path = next(iter(forge.run()))
    return forge.put({**run, path: b"not json\n"})
