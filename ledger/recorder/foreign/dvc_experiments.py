"""Experiments of DVC, which lie in git itself: a commit each, under `refs/exps`, read without DVC.

Format: `dvc/repo/experiments/refs.py` (https://github.com/iterative/dvc), seen in 3.67. Params and metrics are in the
files that `dvc.yaml` names, as they stand in the commit.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.results import Value, read_results
from ledger.formats.stores.store_files import is_inside
from ledger.formats.stores.store_values import load_json
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.yaml_file import load_yaml
from ledger.model.values import plain
from ledger.repository.repository import Repository

_REFS = "refs/exps/"
_OWN = {"exec", "stash", "celery", "temp", "apply"}
"""Parts of `refs/exps` that hold no experiment."""
_PARTS = 3
"""Parts of the name of an experiment below `refs/exps/`: two digits of its baseline, the rest of them, its own name."""
_PARAMS, _METRICS = ("params.yaml",), ("metrics.json", "metrics.yaml", "dvclive/metrics.json")
_MOST_FILES = 100
_MOST_BYTES = 5_000_000


def is_dvc_repository(path: Path) -> bool:
    """Return whether a folder is a repository with experiments of DVC."""
    try:
        return path.is_dir() and next(_experiments(Repository.discover(path)), None) is not None
    except LedgerError:
        return False


def read_dvc_experiments(path: Path) -> Iterator[ForeignRun]:
    """Yield the experiments of a repository, oldest first.

    Raises:
        LedgerError: it is no repository, or git cannot read it.
    """
    repository = Repository.discover(path)
    for name, commit, moment, author in sorted(_experiments(repository), key=lambda found: found[2]):
        yield _run(repository, name, commit, moment, author)


def _experiments(repository: Repository) -> Iterator[tuple[str, str, int, str]]:
    """Yield name, commit, time and author of each experiment."""
    fields = "%(refname)%00%(objectname)%00%(authordate:unix)%00%(authorname)"
    for line in (
        repository.git.output("for-each-ref", f"--format={fields}", _REFS).decode("utf-8", "replace").splitlines()
    ):
        ref, commit, moment, author = line.split("\0")
        parts = ref.removeprefix(_REFS).split("/")
        if len(parts) == _PARTS and parts[0] not in _OWN and moment.isdigit():
            yield f"{parts[2]} on {parts[0]}{parts[1][:8]}", commit, int(moment), author


def _run(repository: Repository, name: str, commit: str, moment: int, author: str) -> ForeignRun:
    losses: list[str] = []
    pipeline = _mapping(repository, commit, "dvc.yaml", [])
    params: dict[str, object] = {}
    for path in _named(pipeline, "params") or _PARAMS:
        params |= _mapping(repository, commit, path, losses if pipeline else [])
    metrics: dict[str, float] = {}
    named = _named(pipeline, "metrics")
    for path in named or _METRICS:
        for found in read_results(_mapping(repository, commit, path, losses if named else [])):
            if isinstance(found, Value) and isinstance(found.value, int | float) and not isinstance(found.value, bool):
                metrics[found.key] = float(found.value)
    if pipeline:
        losses.append("hashes of data in dvc.lock, which are not those of the ledger")
    ended = datetime.fromtimestamp(moment, UTC)
    return ForeignRun(
        id=name,
        name=name.partition(" on ")[0],
        ended_at=ended,
        author=author or None,
        params=params,
        metrics=metrics,
        commit=commit,
        losses=losses,
    )


def _named(pipeline: Mapping[str, object], kind: str) -> list[str]:
    """Return the files of a kind that `dvc.yaml` names, at its top and in its stages."""
    stages = pipeline.get("stages")
    of_stages = list(stages.values()) if isinstance(stages, dict) else []
    found: list[str] = []
    for part in (pipeline, *(stage for stage in of_stages if isinstance(stage, dict))):
        listed = part.get(kind)
        for entry in listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ():
            name = next(iter(entry), None) if isinstance(entry, dict) else entry
            if isinstance(name, str) and name.endswith((".json", ".yaml", ".yml")) and is_inside(name):
                found.append(name)
            elif kind == "params" and isinstance(name, str):
                found.append(_PARAMS[0])  # a key of params.yaml
    return list(dict.fromkeys(found))[:_MOST_FILES]


def _mapping(repository: Repository, commit: str, path: str, losses: list[str]) -> dict[str, object]:
    """Return the mapping in a file of a commit; empty where there is none."""
    (content,) = repository.read_objects([f"{commit}:{path}"])
    if content is None:
        losses.append(f"{plain(path)}, which is not in git")
        return {}
    if len(content) > _MOST_BYTES:
        losses.append(f"{plain(path)}, which is larger than {_MOST_BYTES // 10**6} MB")
        return {}
    text = content.decode("utf-8", "replace")
    try:
        found = load_json(text, path) if path.endswith(".json") else load_yaml(text, path)
    except LedgerError as error:
        losses.append(f"{plain(path)}: {error.message}")
        return {}
    return {str(name): value for name, value in found.items()} if isinstance(found, dict) else {}
