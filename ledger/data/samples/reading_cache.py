"""A cache of readings on this machine: the parent of a version stays available when its data is gone.

Derived and disposable: labels, small grey images and features, never whole files. What is damaged is not there.
"""

import io
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.data.optional_packages import missing_package
from ledger.data.samples.reading import Kind, Reading
from ledger.data.samples.samples import Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 20
"""Most readings in the cache: a few megabytes each."""
_FEWER_BYTES_THAN = 256 << 20


class _Place(msgspec.Struct):
    place: str


class _Words(_Place):
    kind: Kind
    names: list[str]
    contents: list[str]
    labels: list[list[str]] | None
    slices: dict[str, list[str | None]]
    looked: list[str]
    looked_labels: list[str | None] | None
    looked_slices: dict[str, list[str | None]]
    features: list[str]
    texts: list[str] | None


def keep_reading(folder: Path, content: str, reading: Reading, place: Path) -> None:
    """Store the reading of a version; failures are ignored, and the oldest readings give way.

    Args:
        folder: folder of the cache; created when missing.
        content: hash of the version.
        reading: what was read.
        place: path of the data.
    """
    import numpy as np

    samples = reading.samples
    words = _Words(
        place=str(place),
        kind=reading.kind,
        names=reading.names,
        contents=reading.contents,
        labels=None if reading.labels is None else [list(label) for label in reading.labels],
        slices=reading.slices,
        looked=samples.names,
        looked_labels=samples.labels,
        looked_slices=samples.slices,
        features=list(samples.features),
        texts=samples.texts,
    )
    arrays: dict[str, NDArray[np.floating[Any]]] = {
        f"feature{position}": values for position, values in enumerate(samples.features.values())
    }
    if samples.images is not None:
        arrays["images"] = np.asarray(samples.images, dtype=np.float16)  # half is enough for drift
    with suppress(OSError, UnicodeEncodeError, ValueError):
        data = msgspec.json.encode(words)
        if len(data) > _FEWER_BYTES_THAN:
            return
        out = io.BytesIO()
        np.savez_compressed(out, words=np.frombuffer(data, dtype=np.uint8), allow_pickle=False, **arrays)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(out.getbuffer())
        os.replace(file.name, _file(folder, content))  # noqa: PTH105  # aside, then renamed: never half a file
        kept = sorted(folder.glob("reading-*.npz"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-_MOST]:
            old.unlink()


def kept_place(folder: Path, content: str) -> Path | None:
    """Return where the data of a version lay when it was added on this machine; none where that is not known."""
    file = _file(folder, content)
    if missing_package() or not file.is_file():
        return None
    import numpy as np

    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            return Path(msgspec.json.decode(archive["words"].tobytes(), type=_Place).place)
    except Exception:  # noqa: BLE001  # a damaged archive makes numpy, zipfile and msgspec raise anything
        return None


def read_kept(folder: Path, content: str) -> tuple[Reading | None, Path | None]:
    """Return the reading of a version on this machine, and its path; none when there is none or it is damaged."""
    file = _file(folder, content)
    if missing_package() or not file.is_file():
        return None, None
    import numpy as np

    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:  # numpy leaves it open
            words = msgspec.json.decode(archive["words"].tobytes(), type=_Words)
            samples = Samples(
                names=words.looked,
                labels=words.looked_labels,
                slices=words.looked_slices,
                features={name: archive[f"feature{position}"] for position, name in enumerate(words.features)},
                images=archive["images"].astype(np.float32) if "images" in archive.files else None,
                texts=words.texts,
            )
    except Exception:  # noqa: BLE001  # a damaged archive makes numpy, zipfile and msgspec raise anything
        return None, None
    reading = Reading(
        kind=words.kind,
        names=words.names,
        contents=words.contents,
        labels=None if words.labels is None else [tuple(label) for label in words.labels],
        slices=words.slices,
        samples=samples,
    )
    return reading, Path(words.place)


def _file(folder: Path, content: str) -> Path:
    return folder / f"reading-{content.rpartition(':')[2][:32]}.npz"
