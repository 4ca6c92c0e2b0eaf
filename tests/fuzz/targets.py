"""What is fuzzed: each reader, what it may refuse with, and what holds of what it accepts."""

import json
import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from ledger.analysis.data.curves import load_curves, render_curves
from ledger.analysis.query.language import metrics_named, parse_query, statuses_asked
from ledger.capture.inputs.params import parse_assignment, read_params
from ledger.capture.outputs.curves import read_curves
from ledger.capture.outputs.metrics import parse_metric, read_metrics
from ledger.capture.outputs.table_input import read_cells
from ledger.data.version.listing import load_manifest, render_manifest
from ledger.errors import LedgerError
from ledger.formats.encoding import decode
from ledger.formats.numbers import exact_number, is_nothing, nearest_number, read_measured
from ledger.formats.onnx_file import count_initializers
from ledger.formats.results import history_rows, read_results
from ledger.formats.safetensors_file import read_tensors
from ledger.formats.torch_file import count_parameters, is_torch_file, names_in
from ledger.formats.yaml_file import load_yaml
from ledger.hashing import hash_bytes
from ledger.model.claims.rules import claims_in
from ledger.model.document import FORMATS, dump, load
from ledger.store.branch.policy import load_policy
from tests.asking import Asked
from tests.samples import sample_ledger


class Target(NamedTuple):
    """One reader of what comes from outside."""

    read: Callable[[bytes], object]
    """Reads, and asserts what must hold of what was accepted."""
    refusals: tuple[type[Exception], ...]
    """What it may raise; anything else is a fault."""
    seeds: Callable[[], list[bytes]]
    """Inputs to begin with."""


_KINDS = tuple(FORMATS)
_SCRATCH = Path(tempfile.gettempdir()) / f"ledger-fuzz-{os.getpid()}"


def _in_file(read: Callable[[Path], object], suffix: str) -> Callable[[bytes], object]:
    """Return the reader of a file as one of its bytes."""

    def whole(data: bytes) -> object:
        path = _SCRATCH.with_suffix(suffix)
        path.write_bytes(data)
        try:
            return read(path)
        finally:
            path.unlink()

    return whole


def _document(data: bytes) -> object:
    for kind in [_KINDS[data[0] % len(_KINDS)]] if data else []:
        document: msgspec.Struct = load(data[1:], kind, source="fuzzed")
        again = dump(document)
        assert dump(load(again, kind, source="fuzzed")) == again, "what was read and written is read as another one"
        return list(claims_in(document))
    return None


def _query(data: bytes) -> object:
    query = parse_query(data.decode("utf-8", "surrogateescape"))
    return metrics_named(query), statuses_asked(query), _asked().select(query)


def _numbers(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    exact = exact_number(text)
    assert exact is None or exact_number(repr(exact)) == exact or math.isnan(exact)
    return exact, nearest_number(text), is_nothing(text), read_measured(text)


def _said(data: bytes) -> object:
    text = data.decode("utf-8", "surrogateescape")
    for parse in (parse_assignment, parse_metric):
        try:
            parse(text)
        except LedgerError:
            continue
    return None


def _results(data: bytes) -> object:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    names = [found.path for found in read_results(values)]
    return names, history_rows(values)


def _curves(data: bytes) -> object:
    points = load_curves(data, "fuzzed")
    again = render_curves(points)
    assert render_curves(load_curves(again, "fuzzed")) == again
    return points


def _manifest(data: bytes) -> object:
    manifest = load_manifest(data, "fuzzed")
    assert load_manifest(render_manifest(manifest), "fuzzed").hash == manifest.hash
    return manifest


def _torch(path: Path) -> object:
    is_torch_file(path)
    for read in (names_in, count_parameters):
        try:
            read(path)
        except ValueError:
            continue
    return None


_kept: list[Asked] = []


def _asked() -> Asked:
    if not _kept:
        _kept.append(Asked(sample_ledger()[0].runs[:3]))
    return _kept[0]


def _texts(*texts: str) -> Callable[[], list[bytes]]:
    return lambda: [text.encode() for text in texts]


def _documents() -> list[bytes]:
    contents, _ = sample_ledger()
    found = [contents.runs[0].record, *contents.datasets[:1], *contents.cases[:1], *contents.said[:1]]
    found += [evaluation for run in contents.runs for evaluation in run.evaluations][:1]
    return [bytes([_KINDS.index(type(one))]) + dump(one) for one in found if type(one) in _KINDS]


def _tensors() -> list[bytes]:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    return [len(header).to_bytes(8, "little") + header + bytes(16)]


def _models() -> list[bytes]:
    import io

    import torch

    made = []
    for old in (False, True):
        file = io.BytesIO()
        torch.save(torch.nn.Linear(2, 2).state_dict(), file, _use_new_zipfile_serialization=not old)
        made.append(file.getvalue())
    return made


_GRAPH = bytes([0x3A, 9, 0x2A, 7, 0x08, 2, 0x10, 1, 0x42, 1, 0x77])
"""A graph with one initializer of two numbers, called w."""

TARGETS: dict[str, Target] = {
    "document": Target(_document, (LedgerError,), _documents),
    "query": Target(
        _query,
        (LedgerError,),
        _texts("params.lr < 0.01 and not status = failed", "tags = 'a' or metrics.validation/loss >= 1e-3", "word"),
    ),
    "yaml": Target(
        lambda data: load_yaml(data.decode("utf-8", "replace"), "fuzzed"),
        (LedgerError,),
        _texts("a: 1\nb: [1, 2.5, x]\nc: &d {e: ~}\nf: *d\n", "!!python/tuple [1, 2]\n", "a: 2026-11-20 10:00:00\n"),
    ),
    "policy": Target(
        load_policy, (LedgerError,), _texts("signatures:\n  required: true\ndirections:\n  accuracy: higher\n")
    ),
    "numbers": Target(_numbers, (), _texts("1,234.5", "0.912 ± 0.003", "93 %", "1e-3", "-inf", "n/a")),
    "said": Target(_said, (), _texts("lr=0.1", "validation/accuracy=0.9 %", "a.b=[1, 2]")),
    "encoding": Target(decode, (UnicodeDecodeError,), _texts("a,b\n1,2\n", "\ufeffa")),
    "results": Target(
        _results,
        (),
        _texts(
            '{"results": {"task": {"acc,none": 0.5}}, "versions": {"task": 1}, "lm_eval_version": "0.4"}',
            '{"log_history": [{"step": 1, "epoch": 0.5, "loss": 2}], "best_metric": 0.1}',
            '{"history": {"loss": [1, 2]}, "epoch": [0, 1]}',
        ),
    ),
    "metrics file": Target(_in_file(read_metrics, ".json"), (LedgerError,), _texts('{"validation": {"loss": 0.5}}')),
    "params file": Target(_in_file(read_params, ".yaml"), (LedgerError,), _texts("lr: 0.1\nopt: {name: adam}\n")),
    "curves": Target(_curves, (LedgerError,), _texts("step,epoch,seconds,train/loss\n1,0.5,2.0,0.25\n2,,,\n")),
    "curves file": Target(_in_file(read_curves, ".csv"), (LedgerError,), _texts("step,train/loss\n1,0.5\n2,nan\n")),
    "table file": Target(
        _in_file(lambda path: read_cells(path, limit=1000), ".csv"), (LedgerError,), _texts('a,b\n1,"x"\n')
    ),
    "manifest": Target(
        _manifest, (LedgerError,), _texts('{"path":"a.png","bytes":3,"hash":"' + hash_bytes(b"x") + '"}\n')
    ),
    "safetensors": Target(_in_file(read_tensors, ".safetensors"), (ValueError,), _tensors),
    "torch": Target(_in_file(_torch, ".pt"), (), _models),
    "onnx": Target(_in_file(count_initializers, ".onnx"), (ValueError,), lambda: [_GRAPH]),
}
"""Every reader, by name."""


def attempt(target: Target, data: bytes) -> None:
    """Read; what it may refuse is refused quietly."""
    try:
        target.read(data)
    except target.refusals:
        return
