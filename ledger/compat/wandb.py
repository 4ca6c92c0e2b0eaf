"""W&B's calls, answered by the ledger: `import ledger.compat.wandb as wandb`.

Nothing is uploaded and nobody logs in: the run is recorded in the repository, as `ledger.run()` records it. What has no
counterpart says once that it does nothing; nothing raises.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from ledger.compat.media import Histogram, Image
from ledger.compat.media import MediaTable as Table
from ledger.compat.nothing import nothing, say_once
from ledger.compat.wandb_run import WandbConfig, WandbRun, WandbSummary, environment
from ledger.integrations.adapter import AdapterRun

__version__ = "1.0+ledger"

_LOG = logging.getLogger("ledger")
_WITHOUT_COUNTERPART = frozenset(
    {
        *("Api", "Artifact", "Audio", "Graph", "Html", "Molecule", "Object3D", "Plotly", "Video", "agent", "alert"),
        *("apis", "data_types", "integration", "link_artifact", "log_artifact", "log_code", "mark_preempting", "plot"),
        *("proto", "restore", "sdk", "sweep", "unwatch", "use_artifact", "wandb_run", "wandb_sdk"),
    }
)
__all__ = ["Error", "Histogram", "Image", "Run", "Settings", "Table", "config", "define_metric", "finish", "init"]
__all__ += ["log", "login", "run", "save", "summary", "watch"]

run: WandbRun | None = None
"""The run; none before `init`."""
config: WandbConfig = WandbConfig(AdapterRun({}))
"""The configuration; what is set before `init` becomes part of its run."""
summary: WandbSummary = WandbSummary(AdapterRun({}))
"""The summary of the run."""
util = SimpleNamespace(generate_id=lambda length=8: secrets.token_hex(length)[:length])
Settings = SimpleNamespace
Error = CommError = UsageError = type("Error", (Exception,), {"__module__": __name__})
errors = SimpleNamespace(Error=Error, CommError=Error, UsageError=Error)
Run = WandbRun


def init(
    project: str | None = None,
    config: Any = None,  # noqa: ANN401  # a mapping, a namespace, or a path
    *,
    name: str | None = None,
    group: str | None = None,
    job_type: str | None = None,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
    id: str | None = None,  # noqa: A002  # W&B's
    resume: object = None,
    reinit: object = None,
    mode: str | None = None,
    **others: Any,  # noqa: ANN401  # entity, dir, settings and what else W&B takes
) -> WandbRun:
    """Begin a run; one that is open is returned, unless `reinit` ends it.

    The project is the experiment, the configuration the params; group and job type are tags, and the name stands in
    the note. With `resume`, `id` is the key of all attempts. `mode="disabled"` records nothing.
    """
    if run is not None and run.ledger.run is not None:
        if not reinit or reinit in {"default", "return_previous"}:
            return run
        run.finish()
    attributes: dict[str, Any] = {
        "project": project or environment("PROJECT"),
        "name": name or environment("NAME"),
        "group": group or environment("RUN_GROUP"),
        "job_type": job_type or environment("JOB_TYPE"),
        "tags": [tags] if isinstance(tags, str) else tags or (environment("TAGS") or "").split(","),
        "notes": notes or environment("NOTES"),
        "entity": others.get("entity"),
    }
    words = [*attributes["tags"], attributes["group"], attributes["job_type"]]
    lines = [f"name: {attributes['name']}" if attributes["name"] else None, attributes["notes"]]
    adapter = AdapterRun(
        {
            "experiment": attributes["project"],
            "tags": list(dict.fromkeys(word for word in words if word)),
            "note": "\n".join(line for line in lines if line) or None,
            "resume": id if resume and id else None,
        },
        around=True,
    )
    if (mode or environment("MODE")) != "disabled" and (environment("DISABLED") or "").lower() not in {"true", "1"}:
        adapter.begin()
        adapter.settle()  # W&B is not told when a training is over either
    opened = WandbRun(adapter, attributes)
    _open(opened, config)
    return opened


def _open(opened: WandbRun, given: Any) -> None:  # noqa: ANN401
    """Let the names of this module mean a run, and give it its configuration."""
    global run, config, summary  # W&B's interface is its module
    before = config.as_dict() if run is None else {}
    run, config, summary = opened, opened.config, opened.summary
    config.update(before)
    if isinstance(given, str):
        say_once("wandb.init(config=PATH)", "reads no files; use ledger run --params")
    elif given is not None:
        config.update(given)


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **_: object) -> None:  # noqa: FBT001  # W&B's
    """Log one row of the run."""
    if run is None:
        say_once("wandb.log", "was called before wandb.init: nothing is recorded")
        return
    run.log(data, step, commit)


def define_metric(name: str, *args: Any, **options: Any) -> None:  # noqa: ANN401
    """State at the end the `min`, `max`, `mean` or `last` of a series."""
    if run is not None:
        run.define_metric(name, *args, **options)


def save(*args: Any, **options: Any) -> None:  # noqa: ANN401
    """Record a file of a model; nothing is uploaded."""
    if run is not None:
        run.save(*args, **options)


def watch(*args: Any, **options: Any) -> list[object]:  # noqa: ANN401
    """Do nothing, and say so once."""
    return run.watch(*args, **options) if run is not None else []


def finish(exit_code: int | None = None, *_: object, **__: object) -> None:
    """End the run."""
    global run  # noqa: PLW0603  # W&B's interface is its module
    if run is not None:
        run.finish(exit_code)
        run = None


join = finish


def login(*_: object, **__: object) -> bool:
    """Return true: nobody logs in."""
    return True


def setup(*_: object, **__: object) -> None:
    """Do nothing."""


require = ensure_configured = teardown = setup


def termlog(text: str = "", *_: object, **__: object) -> None:
    """Write a line to the logger `ledger`."""
    _LOG.info(text)


def termwarn(text: str = "", *_: object, **__: object) -> None:
    """Warn through the logger `ledger`."""
    _LOG.warning(text)


termerror = termwarn


def __getattr__(name: str) -> Any:  # noqa: ANN401  # whatever W&B has
    if name in _WITHOUT_COUNTERPART:
        return nothing(f"wandb.{name}")
    raise AttributeError(f"`{name}` of W&B has no counterpart in ledger.compat.wandb")
