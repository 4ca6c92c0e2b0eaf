"""The notebook of a run in its record: what was executed, in which order, and how the notebook file differs from it."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from ledger.capture.secrets.redactor import Redactor
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.boxes.code import Code
from ledger.model.notebook import CellExecution, Change, Notebook
from ledger.model.values import counted
from ledger.recorder.record.draft import Draft, ExecutedCell, NotebookCell, NotebookFile
from ledger.store.branch.policy import Limits, Policy
from ledger.store.branch.privacy import without_home

_MOST = 500
"""Most executions that a record lists."""
_OTHERS = re.compile(
    r"^\s*%run\s.*\.ipynb|\b(?:execute_notebook|import_ipynb|importnb|nbclient|nbimporter|nbconvert|papermill)\b",
    re.MULTILINE,
)
"""What executes another notebook, whose cells are not seen."""
_OURS = re.compile(r"^[ \t]*(?:%load_ext[ \t]+ledger|%ledger\b.*|%%ledger_run\b.*)[ \t]*(?:\n|$)", re.MULTILINE)
"""Our own magics: what they state is in the record, and they change nothing of what is executed."""


def with_notebook(code: Code, draft: Draft, side: dict[str, bytes], redactor: Redactor, policy: Policy) -> Code:
    """Return the code box with the notebook of the run; the executed sources are added to `side`.

    Executed cells take the place of notebook files in the identity of the code: a notebook file holds outputs and
    execution counts, too, and may be older than what was executed.
    """
    if draft.notebook is None or not draft.cells:
        return code
    sources = _write(draft.cells, redactor, policy.limits)
    text = without_home(sources.text) if policy.privacy.home else sources.text
    side[paths.NOTEBOOK_FILE] = text
    notebook = _notebook(draft.notebook, draft.cells, sources, text)
    unknown = dict(code.unknown)
    if "all" in unknown:
        unknown = {"commit": unknown["all"]}
    identity = None
    if notebook.identity is None:
        unknown["identity"] = notebook.unknown["identity"]
    elif code.beside_notebooks is None:
        unknown.setdefault("identity", "the files that the cells may use could not be read")
    else:
        identity = hash_bytes(f"{code.beside_notebooks}\n{notebook.identity}".encode())
        unknown.pop("identity", None)
    return msgspec.structs.replace(code, notebook=notebook, identity=identity, unknown=unknown)


class _Place(NamedTuple):
    """Where a source stands in the file beside the record."""

    line: int | None
    lines: int
    left_out: int
    hash: str


class _Sources(NamedTuple):
    text: bytes
    places: Mapping[str, _Place]
    """Place of each source, by the hash of what was executed."""
    exact: bool


def _write(cells: Sequence[ExecutedCell], redactor: Redactor, limits: Limits) -> _Sources:
    """Return the sources in the percent format, each once, without secrets."""
    lines: list[str] = []
    kept: dict[str, tuple[int | None, int, int]] = {}
    room = limits.patch_bytes
    for cell in cells:
        if cell.hash in kept:
            continue
        source = cell.source.rstrip()
        shown = source.encode("utf-8", "replace")[: limits.patch_file_bytes].decode("utf-8", "ignore")
        left_out = cell.characters - len(shown) if len(shown) < len(source) or cell.characters > len(cell.source) else 0
        body = shown.split("\n")
        room -= len(shown)
        if room < 0:
            kept[cell.hash] = None, len(body), cell.characters
            continue
        lines.append(f"# %% In [{cell.number}]")
        kept[cell.hash] = len(lines) + 1, len(body), left_out
        lines += [*body, ""]
    plain = "\n".join(lines)
    text = redactor.text(plain)
    redacted = text.split("\n")  # line feeds survive a redaction
    places = {
        key: _Place(line, count, left_out, _hash(redacted[line - 1 : line - 1 + count]) if line is not None else key)
        for key, (line, count, left_out) in kept.items()
    }
    exact = text == plain and not any(place.left_out for place in places.values())
    return _Sources(text.encode("utf-8", "replace"), places, exact)


def _hash(lines: Sequence[str]) -> str:
    return hash_bytes("\n".join(lines).encode("utf-8", "replace"))


def _notebook(file: NotebookFile, cells: Sequence[ExecutedCell], sources: _Sources, text: bytes) -> Notebook:
    unknown = dict(file.unknown)
    positions = _positions(file, cells)
    if file.cells is None:
        unknown.setdefault("order", "the notebook file could not be read")
    elif any(place is None for place in positions):
        unknown["order"] = "some executed cells are not in the notebook file as it was last saved"
    identity, why = _identity(cells, sources)
    if why:
        unknown["identity"] = why
    executions = _executions(file, cells, positions, sources)
    if len(executions) > _MOST:
        unknown["executions"] = f"the first {len(executions) - _MOST} are not listed"
    unseen = [cell.number for cell in cells if cell.status is None and cell.at is None]
    if unseen:
        unknown["seconds"] = (
            f"{counted(len(unseen), 'cell')} ran before cells were watched; `%load_ext ledger` in the first one watches"
        )
    return Notebook(
        path=file.path,
        source=file.source,
        kernel=file.kernel,
        command=["jupyter", "execute", file.path] if file.path else [],
        hash=hash_bytes(text),
        bytes=len(text),
        exact=sources.exact and text == sources.text,
        executions=executions[-_MOST:],
        skipped=_skipped(file, positions),
        identity=identity,
        unknown=unknown,
    )


def _positions(file: NotebookFile, cells: Sequence[ExecutedCell]) -> list[int | None]:
    """Return the place in the file of each executed cell: by its id, else by its source where that is there once."""
    if file.cells is None:
        return [None] * len(cells)
    by_id = {one.id: place for place, one in enumerate(file.cells, 1) if one.id}
    by_hash: dict[str, list[int]] = {}
    for place, one in enumerate(file.cells, 1):
        by_hash.setdefault(one.hash, []).append(place)
    found: list[int | None] = []
    for cell in cells:
        same = by_hash.get(cell.hash, [])
        # Of several cells with the same source, the next one below the last was executed, as in a run of all cells.
        last = next((place for place in reversed(found) if place is not None), 0)
        found.append(
            by_id.get(cell.cell or "") or next((place for place in same if place > last), same[0] if same else None)
        )
    return found


def _executions(
    file: NotebookFile, cells: Sequence[ExecutedCell], positions: Sequence[int | None], sources: _Sources
) -> list[CellExecution]:
    lowest = 0
    seen: set[str] = set()
    executions = []
    for index, (cell, position) in enumerate(zip(cells, positions, strict=True)):
        key = cell.cell or ""
        again = (bool(key) and key in seen) or (position is not None and position <= lowest)
        seen.add(key)
        lowest = max(lowest, position or 0)
        place = sources.places[cell.hash]
        executions.append(
            CellExecution(
                number=cell.number,
                cell=cell.cell,
                position=position,
                hash=place.hash,
                line=place.line,
                lines=place.lines,
                left_out=place.left_out,
                before=cell.before,
                seconds=None if cell.seconds is None else round(cell.seconds, 3),
                status=cell.status,
                reason=cell.reason,
                late=again,
                changed=_change(file, cell, position, cells[index + 1 :]),
            )
        )
    return executions


def _change(
    file: NotebookFile, cell: ExecutedCell, position: int | None, later: Sequence[ExecutedCell]
) -> Change | None:
    """Return whether the cell of an execution has another source now, and whether that is certain."""
    again = [one for one in later if cell.cell and one.cell == cell.cell]
    if any(one.hash != cell.hash for one in again):
        return "edited"
    if file.cells is None or again:
        return None
    known = [one.hash for one in file.cells]
    same = cell.hash in known if position is None else known[position - 1] == cell.hash
    if same:
        return None
    saved_since = cell.at is not None and file.saved_at is not None and file.saved_at > cell.at
    return "edited" if saved_since else "unsaved"


def _skipped(file: NotebookFile, positions: Sequence[int | None]) -> int | None:
    """Return how many cells above the last executed one never ran; cells without code do not count."""
    if file.cells is None or any(place is None for place in positions):
        return None
    executed = {place for place in positions if place is not None}
    above: list[NotebookCell] = file.cells[: max(executed, default=0)]
    return sum(place not in executed and cell.hash != _BLANK for place, cell in enumerate(above, 1))


_BLANK = hash_bytes(b"")


def _identity(cells: Sequence[ExecutedCell], sources: _Sources) -> tuple[str | None, str | None]:
    """Return the hash of what was executed, and why there is none."""
    numbers = [cell.number for cell in cells]
    missing = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
    if missing:
        return None, f"In [{missing[0]}] is not known, as if the history of the kernel had been reset"
    if any(_OTHERS.search(cell.source) for cell in cells):
        return None, "a cell executes another notebook, whose cells are not seen"
    redacted = sources.text.decode("utf-8", "replace").split("\n")
    executed = []
    for cell in cells:
        place = sources.places[cell.hash]
        if place.line is None or place.left_out:
            executed.append(cell.hash)
            continue
        source = "\n".join(redacted[place.line - 1 : place.line - 1 + place.lines])
        if own := _OURS.sub("", source).strip():
            executed.append(hash_bytes(own.encode("utf-8", "replace")))
    return hash_bytes("\n".join(executed).encode()), None
