"""Figures of a living run, written into its spool at once."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from ledger.errors import LedgerError
from ledger.model.values import slug


@runtime_checkable
class Drawable(Protocol):
    """An object that can save itself, such as a matplotlib figure; matplotlib itself is never imported here."""

    def savefig(self, fname: str, **options: object) -> None:
        """Write the picture to a file."""


def write_figure(figure: object, folder: Path, title: str) -> Path:
    """Write a picture into `folder` and return its file.

    Raises:
        LedgerError: it is neither drawable, nor a path, nor bytes of a PNG or SVG.
        OSError: it cannot be read or written.
    """
    stem = slug(title)
    number = len(list(folder.glob("figure-*")))
    target = folder / f"figure-{number}-{stem}"
    if isinstance(figure, Drawable):
        path = target.with_name(f"{target.name}.svg")
        # The date and random ids would make every file different.
        figure.savefig(str(path), format="svg", bbox_inches="tight", metadata={"Date": None})
        return path
    data = Path(figure).read_bytes() if isinstance(figure, str | Path) else figure
    if not isinstance(data, bytes):
        raise LedgerError(f"not a figure, a path or bytes: `{type(figure).__name__}`")
    path = target.with_name(f"{target.name}.picture")
    path.write_bytes(data)
    return path
