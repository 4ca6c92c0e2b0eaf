"""Labels of objects in images: COCO and YOLO files."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ledger.errors import LedgerError

Label = tuple[str, ...]
"""What a sample carries: usually one label, none or many where objects are found in it."""


def from_coco(path: Path, names: Sequence[str]) -> list[Label]:
    """Return the categories of the objects in each image (COCO data format, cocodataset.org/#format-data).

    Raises:
        LedgerError: the file cannot be read, or is no COCO file.
    """
    try:
        said = json.loads(path.read_text("utf-8"))
        categories = {one["id"]: str(one["name"]) for one in said["categories"]}
        images = {one["id"]: str(one["file_name"]).removeprefix("./") for one in said["images"]}
        carried: dict[str, set[str]] = defaultdict(set)
        for one in said["annotations"]:
            carried[images[one["image_id"]]].add(categories[one["category_id"]])
    except OSError as error:
        raise LedgerError(f"labels cannot be read ({(error.strerror or '').lower()}): `{path}`") from None
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise LedgerError(f"this is no COCO file ({type(error).__name__}: {str(error)[:80]}): `{path}`") from None
    by_file = {name.rpartition("/")[2]: labels for name, labels in carried.items()}
    if not any(name in carried or name.rpartition("/")[2] in by_file for name in names):
        raise LedgerError(f"the COCO file names no sample of the dataset: `{path}`")
    nothing: set[str] = set()
    return [tuple(sorted(carried.get(name) or by_file.get(name.rpartition("/")[2], nothing))) for name in names]


def from_yolo(folder: Path, names: Sequence[str]) -> list[Label]:
    """Return the classes of the objects in each image: one text file per image, one object per line, its class first.

    Names are those of `classes.txt` or `obj.names` in the folder or above it, else the numbers.

    Raises:
        LedgerError: no sample has a file of labels, or one is malformed.
    """
    classes = next(
        (
            file.read_text("utf-8", "replace").split("\n")
            for place in (folder, folder.parent)
            for file in (place / "classes.txt", place / "obj.names")
            if file.is_file()
        ),
        [],
    )
    labels: list[Label] = []
    seen = 0
    for name in names:
        stem = PurePosixPath(name).with_suffix(".txt")
        inside = PurePosixPath(*stem.parts[1:]) if len(stem.parts) > 1 else stem
        file = next((folder / one for one in (stem, inside, stem.name) if (folder / one).is_file()), None)
        seen += file is not None
        labels.append(_yolo_classes(file, classes) if file else ())
    if not seen:
        raise LedgerError(f"no sample has a file of labels in: `{folder}`", hint="one .txt per image, of the same name")
    return labels


def _yolo_classes(file: Path, classes: Sequence[str]) -> Label:
    found = set()
    for line in file.read_text("utf-8", "replace").splitlines():
        if not line.strip():
            continue
        word = line.split()[0]
        if not word.isdigit():
            raise LedgerError(f"a line of labels does not begin with a class number: `{file}`")
        found.add(classes[int(word)].strip() if int(word) < len(classes) and classes[int(word)].strip() else word)
    return tuple(sorted(found))
