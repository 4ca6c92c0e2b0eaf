"""One build in one folder: what stands is kept, what changed is written, what is gone is deleted."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ledger.hashing import hash_bytes
from ledger.model.values import Document
from ledger.publish.site.frames import Handbook, read_handbook
from ledger.publish.site.output import Made, Memory, Progress, delete_files, sizes, standing_key, write_file
from ledger.publish.site.renderer import handbook_key, key_of

_HANDBOOK = "handbook"
_COLLECTED = 500
"""Files of pages after which garbage is collected."""


class Unit(Document, frozen=True, kw_only=True):
    """A page with its files, and the key that decides whether it must be rendered again."""

    name: str
    """Path of its page."""
    key: str
    """Hash of everything it shows."""
    render: Callable[[], Mapping[str, bytes]]
    """Makes its files."""
    of_runs: bool = False
    """Whether it is of runs alone, of which there are so many that other processes may make some."""


Render = Callable[[Sequence[Unit]], Iterator[Mapping[str, bytes]]]
"""Makes the files of many units in their order."""


def finished(name: str, files: Mapping[str, bytes]) -> Unit:
    """Return a unit whose files are made: their bytes are its key."""
    return Unit(name=name, key=key_of([hash_bytes(data) for data in files.values()]), render=lambda: files)


class Placing:
    """One build in one folder: its former and its present content."""

    def __init__(self, output: Path, before: Memory, progress: Progress | None) -> None:
        self.output = output
        self.before = before
        self.progress = progress or (lambda _what, _done, _total: None)
        self.standing = sizes(output)
        self.checked: set[str] = set()
        self.units: dict[str, Made] = {}
        self.written: list[str] = []
        self.deleted: list[str] = []
        self.kept = 0

    def place_handbook(self, title: str, repository_url: str | None) -> Mapping[str, str]:
        """Return the shells; MkDocs runs only when what it reads has changed."""
        key = handbook_key(title, repository_url)
        if self.before.shell_key == key and self._stands(_HANDBOOK, key):
            self._keep(_HANDBOOK)
            return self.before.shells
        self.progress("handbook", 0, 1)
        handbook: Handbook = read_handbook(title, repository_url)
        self._write(_HANDBOOK, key, handbook.files)
        self.progress("handbook", 1, 1)
        return handbook.shells

    def place_all(self, units: Sequence[Unit], elsewhere: Render | None = None) -> None:
        """Write every unit whose key changed or whose files are not as they were written.

        Args:
            units: all units of the site.
            elsewhere: makes those of runs, if not here.
        """
        standing = [self._stands(unit.name, unit.key) for unit in units]
        sent = [unit for unit, stands in zip(units, standing, strict=True) if unit.of_runs and not stands]
        made = elsewhere(sent) if elsewhere else iter(())
        collected = 0
        for done, (unit, stands) in enumerate(zip(units, standing, strict=True), start=1):
            if stands:
                self._keep(unit.name)
            else:
                files = next(made) if elsewhere and unit.of_runs else unit.render()
                self._write(unit.name, unit.key, files)
                self.progress("pages", done, len(units))
                if len(self.written) - collected > _COLLECTED:
                    gc.collect(0)  # what is older is the ledger itself
                    collected = len(self.written)
        self.progress("pages", len(units), len(units))

    def sweep(self) -> None:
        """Delete files of earlier builds that this one does not have."""
        wanted = {path for made in self.units.values() for path in made.files}
        orphans = {path for made in self.before.units.values() for path in made.files} - wanted
        self.deleted = sorted(orphans)
        delete_files(self.output, self.deleted)
        for path in self.deleted:
            folder, name = _split(path)
            self.standing.get(folder, {}).pop(name, None)

    def memory(self, shells: Mapping[str, str], inputs: str, problems: Sequence[str]) -> Memory:
        """Return the data for the next build."""
        return Memory(
            units=self.units,
            shell_key=self.units[_HANDBOOK].key,
            shells=dict(shells),
            pages=self.kept + sum(path.endswith(".html") for path in self.written),
            inputs=inputs,
            standing=standing_key(self.standing),
            problems=tuple(problems),
        )

    def _stands(self, name: str, key: str) -> bool:
        made = self.before.units.get(name)
        return (
            made is not None and made.key == key and all(self._size(path) == size for path, size in made.files.items())
        )

    def _size(self, path: str) -> int | None:
        folder, name = _split(path)
        return self.standing.get(folder, {}).get(name)

    def _keep(self, name: str) -> None:
        made = self.before.units[name]
        self.units[name] = made
        self.kept += sum(path.endswith(".html") for path in made.files)

    def _write(self, name: str, key: str, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            write_file(self.output, path, data, self.checked)
            self.written.append(path)
            folder, file = _split(path)
            self.standing.setdefault(folder, {})[file] = len(data)
        self.units[name] = Made(key=key, files={path: len(data) for path, data in sorted(files.items())})


def _split(path: str) -> tuple[str, str]:
    """Return the folder of a path, with its slash, and the name in it."""
    at = path.rfind("/") + 1
    return path[:at], path[at:]
