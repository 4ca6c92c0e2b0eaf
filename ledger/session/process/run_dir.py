"""Files that a wrapped command leaves for its record: those of its options, and the folder `LEDGER_RUN_DIR`."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ledger.capture.inputs.config_files import read_mapping
from ledger.errors import LedgerError
from ledger.model.tables import KINDS
from ledger.recorder.record.draft import CaptureProblem, Draft
from ledger.recorder.record.options import Given, read_given
from ledger.session.run.steps import in_order, make_step
from ledger.session.spool.draft import read_draft
from ledger.session.spool.leftovers import with_leftovers
from ledger.session.spool.spool import RUN_DIR, read_start
from ledger.store.branch.branch import Branch

_MODELS = ("model.pt", "model.pth", "model.safetensors", "model.onnx", "model")


def read_whole_draft(folder: Path, ledger: Branch | None) -> Draft:
    """Return the draft of a spool with all files of its command, relative to the folder it was started in.

    A file that is older than the run is another run's result, and is refused. Boxes that nobody filled are filled with
    what the training left.

    Raises:
        OSError: the spool cannot be read.
        InvalidDocument: its start is damaged.
    """
    start = read_start(folder)
    draft = read_run_dir(folder / RUN_DIR, read_draft(folder))
    if start.given is not None:
        draft = read_given(start.given, draft, newer_than=start.started_at.timestamp(), strict=False)
    return with_leftovers(ledger, folder, draft)


def read_run_dir(folder: Path, draft: Draft) -> Draft:
    """Return the draft with what the script left: params, steps, metrics, curves, figures, a model, a note.

    Recognised files are `params.{yaml,yml,json,toml}`, `steps.{yaml,yml,json,toml}` (the params of each step by its
    name, in the order of the steps), `metrics.{json,yaml,yml,toml}`, `curves.{csv,jsonl}`,
    `figures/*.{png,svg}`, `tables/<name>.csv` or `tables/<split>/<metric>[.<kind>].csv`,
    `model.{pt,pth,safetensors,onnx}` or a folder `model`, and `note.txt`.
    What cannot be read is a problem in the draft, never an error.
    """

    def found(pattern: str, suffixes: str) -> list[str]:
        return sorted(str(path) for path in folder.glob(f"{pattern}.*") if path.suffix[1:] in suffixes.split())

    note, steps = folder / "note.txt", found("steps", "yaml yml json toml")
    given = Given(
        params_files=[*found("params", "yaml yml json toml"), *steps],
        metrics_files=found("metrics", "json yaml yml toml"),
        curves=found("curves", "csv jsonl"),
        tables=[_table(path, folder / "tables") for path in sorted((folder / "tables").glob("**/*.csv"))],
        figures=found("figures/*", "png svg"),
        model=next((str(folder / name) for name in _MODELS if (folder / name).exists()), None),
        note=note.read_text("utf-8", "replace")[:10_000] if note.is_file() else None,
    )
    return read_given(given, _with_steps(draft, steps), strict=False)


def _with_steps(draft: Draft, files: Sequence[str]) -> Draft:
    """Return the draft with the steps that files name; one that cannot be read is told with its params."""
    chain, problems = list(draft.chain), list(draft.problems)
    for file in files:
        with contextlib.suppress(LedgerError):
            for name in read_mapping(Path(file), "steps", advice="write the params of each step below its name"):
                try:
                    chain.append(make_step(str(name), None, None))
                except LedgerError as error:
                    problems.append(CaptureProblem(field="params.steps", message=error.message))
    return msgspec.structs.replace(draft, chain=in_order(chain), problems=problems)


def _table(path: Path, folder: Path) -> str:
    """Return a table file in the form of the option `--table`: its kind, a name from its path, and the path."""
    stem, dot, kind = path.relative_to(folder).as_posix().removesuffix(".csv").rpartition(".")
    if dot and kind in KINDS:
        return f"{kind}:{stem}={path}"
    return f"{path.relative_to(folder).as_posix().removesuffix('.csv')}={path}"
