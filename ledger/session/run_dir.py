"""The folder `LEDGER_RUN_DIR`: what a script in any language leaves there becomes part of its record."""

from pathlib import Path

from ledger.recorder.draft import Draft
from ledger.recorder.given import Given, read_given

RUN_DIR_VARIABLE = "LEDGER_RUN_DIR"
_MODELS = ("model.pt", "model.pth", "model.safetensors", "model.onnx", "model")


def harvest(folder: Path, draft: Draft) -> Draft:
    """Return the draft with what the script left: params, metrics, curves, figures, a model, a note.

    Recognised are `params.{yaml,yml,json,toml}`, `metrics.{json,yaml,yml,toml}`, `curves.{csv,jsonl}`,
    `figures/*.{png,svg}`, `model.{pt,pth,safetensors,onnx}` or a folder `model`, and `note.txt`.
    What cannot be read is a problem in the draft, never an error.
    """

    def found(pattern: str, suffixes: str) -> list[str]:
        return sorted(str(path) for path in folder.glob(f"{pattern}.*") if path.suffix[1:] in suffixes.split())

    note = folder / "note.txt"
    given = Given(
        params_files=found("params", "yaml yml json toml"),
        metrics_files=found("metrics", "json yaml yml toml"),
        curves=found("curves", "csv jsonl"),
        figures=found("figures/*", "png svg"),
        model=next((str(folder / name) for name in _MODELS if (folder / name).exists()), None),
        note=note.read_text("utf-8", "replace")[:10_000] if note.is_file() else None,
    )
    return read_given(given, draft, strict=False)
