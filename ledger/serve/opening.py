"""`ledger.batches`: from what a user names to the batches of a plan."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from ledger.data.samples.reading_cache import kept_place
from ledger.data.sources.columns import ColumnSource, HeldColumn
from ledger.data.sources.objects import ObjectSource
from ledger.data.sources.opening import open_source
from ledger.data.sources.source import SampleSource
from ledger.data.version.in_memory import describe, hash_data
from ledger.data.version.manifest import Manifest, build_manifest
from ledger.data.version.stat_cache import FILE, StatCache
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.model.entries import ManifestLine
from ledger.model.feed import FeedOrder, FeedPlan, SkippedBatches, Tail
from ledger.model.values import Role
from ledger.recorder.record.draft import Dataset
from ledger.recorder.record.options import by_label
from ledger.serve.addresses import load_keys, transport_of
from ledger.serve.batches import Batches, Options, Sample
from ledger.serve.choosing import choose, request_of
from ledger.serve.order.plan import BatchPlan
from ledger.serve.remote import RemoteSource
from ledger.serve.torch_batches import torch_class
from ledger.serve.version_check import VersionCheck
from ledger.session.process.ranks import find_rank
from ledger.session.run.data_used import MOST_LINES
from ledger.session.spool.location import SpoolPlace, find_place
from ledger.store.branch.versions import read_version

if TYPE_CHECKING:
    from numpy.random import Generator

_PARTS = ("data", "label")
"""Names of the arrays of a pair."""


def batches(
    data: object,
    *,
    path: str | Path | None = None,
    batch_size: int | None = None,
    global_batch_size: int | None = None,
    seed: int = 0,
    order: FeedOrder = "shuffle",
    block: int | None = None,
    keep: Mapping[str, Sequence[str]] | None = None,
    weights: Mapping[str, float] | None = None,
    curriculum: Mapping[int, Mapping[str, Any]] | None = None,
    skip: Sequence[tuple[int, int, int]] = (),
    tail: Tail = "drop",
    columns: Sequence[str] = (),
    labels: str | None = None,
    transform: Callable[[Sample], Sample] | None = None,
    augment: "Callable[[Sample, Generator], Sample] | None" = None,
    as_torch: bool = False,
    role: Role = "train",
    rank: int | None = None,
    world: int | None = None,
    verify: bool = True,
    prefetch: int = 4,
    prefetch_bytes: int = 1 << 28,
    broken: Literal["fail", "skip"] = "fail",
    server: str | Sequence[str] = (),
    server_key: str | Path | None = None,
    folder: str | Path = ".",
) -> Batches:
    """Return the batches of a dataset, in an order that depends on nothing but the arguments.

    The order is a function of the data, `seed`, the epoch, the batch size over all ranks and the choice of samples:
    neither the number of ranks nor of workers, nor a restart in the middle of an epoch, changes it. Wrapped in
    `run.loading(…)`, the plan and the digest of what was served are in the record.

    Example:
        >>> for batch in ledger.batches("digits-train@v3", batch_size=64, seed=0):
        ...     train(batch["image"], batch["label"])

    Args:
        data: `name@version` of a version on the ledger; or the path itself; or `package.module:factory`, which
            returns an object with a length and items; or such an object, or arrays.
        path: where the data of the version lie; by default where it was added from on this machine. They are hashed
            beside the training, which ends if they differ.
        batch_size: samples of a batch on each rank.
        global_batch_size: samples of a batch over all ranks, instead.
        seed: seed of the order, and of augmentation.
        order: `shuffle`, `sequential`, `weighted` (draws with replacement) or `blocked` (blocks of neighbouring rows,
            for disks that read rows one by one slowly).
        block: rows of a block.
        keep: values of samples that are served, by property: `{"label": ["3", "5"]}`, `{"folder:1": ["night"]}`.
        weights: share of the draws by label, for `weighted`.
        curriculum: other `order`, `block`, `keep` and `weights` from an epoch on: `{3: {"keep": {…}}}`.
        skip: batches to leave out, as epoch, first and last batch, such as after a loss spike.
        tail: what becomes of the rows that do not fill a batch: `drop`, `pad` or `short`.
        columns: columns of arrays and tables that are read; all by default.
        labels: where labels of samples that are files come from, as `ledger dataset add --labels`.
        transform: makes a sample of a sample, the same every time.
        augment: makes a sample of a sample with the random generator that it is given, one for each sample and epoch.
        as_torch: tensors instead of arrays, pinned where CUDA is available; and a dataset of torch.
        role: what the run uses the data for.
        rank: rank of this process; by default as the launcher states it.
        world: number of ranks that share each batch.
        verify: compare the data with their version.
        prefetch: most batches that are read ahead.
        prefetch_bytes: most bytes that are read ahead.
        broken: what becomes of a sample that cannot be read: `fail` ends the training, `skip` leaves it out, warns, and
            counts it in the record.
        server: address of a data server (`ledger serve`), or several of one dataset: the next is asked where one is
            silent. The data are not read here then, and `path` is not needed.
        server_key: file with the key of this client and of the server, where the connection is encrypted.
        folder: folder in the repository.

    Raises:
        LedgerError: the data cannot be read, there is no such version, or the plan makes no batch.
    """
    place = find_place(Path(folder))
    addresses = [server] if isinstance(server, str) else list(server)
    if addresses:
        used, source, check = _served(data, addresses, server_key, columns, role, place)
    else:
        used, source, compute = _opened(data, path, columns, labels, role, place)
        used, check = _identified(used, compute, place, verify=verify)
    stated = find_rank(os.environ)
    if world is None and stated is not None and stated.processes:  # a rank alone may mean something else
        world, rank = stated.processes, stated.rank if rank is None else rank
    world, rank = world or 1, rank or 0
    if not 0 <= rank < world:
        raise UsageError(f"rank {rank} is none of {world} ranks", hint="world=…")
    first = {"order": order, "block": block, "keep": keep, "weights": weights}
    stages = [choose(source, request_of(first, "the order of the batches"))]
    for epoch, fields in sorted((curriculum or {}).items()):
        chosen = choose(source, request_of({"order": order, **fields}, f"the curriculum from epoch {epoch}"), epoch)
        stages = [chosen] if epoch == 0 else [*stages, chosen]
    plan = BatchPlan(
        FeedPlan(
            dataset_hash=check.expected,
            seed=int(seed),
            global_batch_size=_global_size(batch_size, global_batch_size, world),
            tail=tail,
            skip=[SkippedBatches(epoch=epoch, first=first, last=last) for epoch, first, last in skip],
            stages=[stage.facts for stage in stages],
        )
    )
    transport = transport_of(addresses[0]) if addresses else None
    options = Options(
        rank, world, transform, augment, max(1, prefetch), prefetch_bytes, _skips_broken(broken), transport
    )
    made = torch_class() if as_torch else Batches
    return made(source, plan, stages, used, check, options)


def open_version(
    data: str,
    path: str | None,
    *,
    columns: Sequence[str] = (),
    labels: str | None = None,
    verify: bool = True,
    folder: str | Path = ".",
) -> tuple[Dataset, SampleSource, VersionCheck]:
    """Return the samples of a version or a path, and whether they are verified.

    Raises:
        LedgerError: the data cannot be read, or there is no such version.
    """
    place = find_place(Path(folder))
    used, source, compute = _opened(data, path, columns, labels, "train", place)
    used, check = _identified(used, compute, place, verify=verify)
    return used, source, check


def _skips_broken(broken: str) -> bool:
    if broken not in {"fail", "skip"}:
        raise UsageError(f"a broken sample can `fail` or `skip`: `{broken}`")
    return broken == "skip"


def _global_size(batch_size: int | None, global_batch_size: int | None, world: int) -> int:
    if batch_size is None and global_batch_size is None:
        raise UsageError("batches need a size", hint="batch_size=64, for each rank; or global_batch_size=512")
    size = global_batch_size if global_batch_size is not None else (batch_size or 0) * world
    if batch_size is not None and batch_size * world != size:
        raise UsageError(f"{world} ranks with {batch_size} samples each make no batch of {size}")
    if size < 1:
        raise UsageError(f"a batch has at least one sample: `{size}`")
    return size


def _opened(
    data: object, path: str | Path | None, columns: Sequence[str], labels: str | None, role: Role, place: SpoolPlace
) -> tuple[Dataset, SampleSource, Callable[[], Manifest]]:
    """Return the dataset as it was named, its samples, and what computes the hash of its content."""
    if not isinstance(data, str | os.PathLike):
        return _in_memory(data, role)
    used = by_label(Dataset(role=role, path=os.fspath(data)))
    if path is not None:
        if not used.name:
            raise UsageError(f"path= says where a version lies, and this names none: `{data}`", hint="name@version")
        used = Dataset(role=role, path=os.fspath(path), name=used.name, version=used.version)
    elif not used.path and (known := _place_of(used, place)) is not None:
        used = msgspec.structs.replace(used, path=str(known))
    if not used.path:
        raise UsageError(
            f"it is not known where the data of this version lie: `{used.name}@{used.version}`",
            hint="ledger.batches(NAME@VERSION, path=…)",
        )
    source = open_source(used.path, columns=columns, labels=labels)
    if isinstance(source, ObjectSource):
        return used, source, lambda: hash_data(source.items)
    hashes = StatCache(place.state_dir / FILE)
    return used, source, lambda: build_manifest(used.path, cache=hashes)


def _place_of(used: Dataset, place: SpoolPlace) -> Path | None:
    """Return where a version was added from on this machine, if anything is still there; its content is compared."""
    if place.ledger is None or used.name is None or used.version is None:
        return None
    version = read_version(place.ledger, used.name, used.version)
    known = kept_place(place.state_dir, version.hash) if version is not None else None
    return known if known is not None and known.exists() else None


def _served(
    data: object,
    addresses: Sequence[str],
    key: str | Path | None,
    columns: Sequence[str],
    role: Role,
    place: SpoolPlace,
) -> tuple[Dataset, SampleSource, VersionCheck]:
    """Return the samples of a data server, which must be those of the version that is named."""
    if not isinstance(data, str):
        raise UsageError("a data server serves a version by name: `name@version`")
    source = RemoteSource(addresses, columns=columns, keys=load_keys(Path(key)) if key is not None else None)
    welcome = source.welcome
    used = by_label(Dataset(role=role, path=data))
    if used.name and used.version and place.ledger is not None:
        version = read_version(place.ledger, used.name, used.version)
        if version is not None and version.hash != welcome.dataset_hash:
            source.close()
            raise LedgerError(
                f"the data server serves {welcome.label}, whose content is not that of: `{data}`",
                hint=f"ledger serve {data} --path …",
            )
    if data not in {welcome.label, welcome.dataset_hash} and not (used.name and used.version):
        source.close()
        raise LedgerError(
            f"the data server serves other data: `{welcome.label}`", hint=f"ledger.batches({welcome.label!r}, …)"
        )
    check = VersionCheck.known(welcome.dataset_hash, done=welcome.verified)
    if used.name:  # the ledger knows what the version is; else the record says that it does not
        return msgspec.structs.replace(used, path=""), source, check
    return msgspec.structs.replace(used, hash=welcome.dataset_hash), source, check


def _in_memory(data: object, role: Role) -> tuple[Dataset, SampleSource, Callable[[], Manifest]]:
    used = Dataset(role=role, path="", memory=describe(data))
    arrays = dict(zip(_PARTS, data, strict=False)) if isinstance(data, tuple) and len(data) == len(_PARTS) else data
    if isinstance(arrays, Mapping) and all(hasattr(value, "__array__") for value in arrays.values()):
        columns = {str(name): HeldColumn(np.asarray(value)) for name, value in arrays.items()}
        return used, ColumnSource(columns, kind="memory"), lambda: hash_data(data)
    if hasattr(data, "__array__"):
        return used, ColumnSource({"data": HeldColumn(np.asarray(data))}, kind="memory"), lambda: hash_data(data)
    return used, ObjectSource(data, used.memory or "data"), lambda: hash_data(data)


def _lines(used: Dataset, found: Manifest) -> list[ManifestLine]:
    """Return the lines by which leaks are found; those of many samples in memory would be tens of megabytes."""
    return list(found.lines) if used.memory is None or found.files <= MOST_LINES else []


def _identified(
    used: Dataset, compute: Callable[[], Manifest], place: SpoolPlace, *, verify: bool
) -> tuple[Dataset, VersionCheck]:
    """Return the dataset as the record has it, and its verification: against its version, where one is named."""
    if not (used.name and used.version):
        found = compute()
        seen = msgspec.structs.replace(used, hash=found.hash, bytes=found.bytes, lines=_lines(used, found))
        return seen, VersionCheck.known(found.hash)
    label = f"{used.name}@{used.version}"
    if place.ledger is None:
        raise place.problem or LedgerError(f"there is no ledger here that could have: `{label}`")
    version = read_version(place.ledger, used.name, used.version)
    if version is None:
        raise NotFound(f"no such dataset version: `{ascii(label)[1:-1]}`", hint="ledger dataset list")
    # Unverified, it is the version by its name alone: whoever records it need not read all of it, either.
    shown = used if verify else msgspec.structs.replace(used, path="")
    return shown, VersionCheck(version.hash, label, used.path, compute if verify else None)
