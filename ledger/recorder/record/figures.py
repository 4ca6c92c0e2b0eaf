"""Figures that a run stores: read, checked, hashed."""

from collections.abc import Sequence
from pathlib import Path

from ledger.capture.secrets.picture_texts import redact_png, redact_svg
from ledger.capture.secrets.redactor import Redactor
from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.boxes.outputs import Figure
from ledger.model.values import slug
from ledger.recorder.record.draft import FigureSource
from ledger.store.branch.pictures import wrong_picture


def read_figures(
    sources: Sequence[FigureSource], side: dict[str, bytes], redactor: Redactor, *, limit: int, strict: bool
) -> tuple[list[Figure], dict[str, str]]:
    """Return the figures and the problems; contents are added to `side` by file name.

    Secrets in their texts are replaced: in an SVG in place, in a PNG by removing the chunk that holds them.

    Raises:
        LedgerError: strict, and a figure is missing, too large, neither PNG nor SVG, or an SVG whose secrets cannot
            be replaced.
    """
    figures: list[Figure] = []
    problems: dict[str, str] = {}
    for source in sources:
        try:
            data, suffix = _read(Path(source.path), limit)
            data = _without_secrets(data, suffix, redactor, source.path)
        except LedgerError as error:
            if strict:
                raise
            problems[f"figures.{slug(source.title)}"] = error.message
            continue
        file = _free_name(f"{paths.FIGURES}/{slug(source.title)}", suffix, side)
        side[file] = data
        figures.append(Figure(file=file, title=source.title, hash=hash_bytes(data), bytes=len(data)))
    return figures, problems


def _read(path: Path, limit: int) -> tuple[bytes, str]:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)  # a device has no size and no end
    except OSError as error:
        why = (error.strerror or "").lower()
        raise LedgerError(f"the figure cannot be read ({why}): `{path}`") from error
    if len(data) > limit:
        raise LedgerError(f"the figure is larger than {limit} bytes: `{path}`", hint="save it smaller, or as svg")
    for suffix, begins in ((".png", data.startswith(b"\x89PNG\r\n\x1a\n")), (".svg", b"<svg" in data[:4096])):
        if begins:
            for why in wrong_picture(suffix, data):  # what `ledger check` would refuse is not recorded
                raise LedgerError(f"{why}: `{path}`", hint="save it as png")
            return data, suffix
    raise LedgerError(f"a figure must be png or svg: `{path}`")


def _without_secrets(data: bytes, suffix: str, redactor: Redactor, path: str) -> bytes:
    redacted = redact_png(data, redactor) if suffix == ".png" else redact_svg(data, redactor)
    if redacted is None:
        raise LedgerError(
            f"the text of the figure holds a secret that cannot be replaced: `{path}`", hint="save it as png"
        )
    return redacted


def _free_name(stem: str, suffix: str, taken: dict[str, bytes]) -> str:
    name, number = f"{stem}{suffix}", 2
    while name in taken:
        name, number = f"{stem}-{number}{suffix}", number + 1
    return name
