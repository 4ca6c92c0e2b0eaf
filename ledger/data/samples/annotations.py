"""Labels of objects in images: COCO and YOLO files."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from ledger.data.samples.matching import Match, match_keys, without_ending
from ledger.errors import LedgerError
from ledger.formats.yaml_file import load_yaml

Label = tuple[str, ...]
"""Label of a sample: usually one, or none or several for objects in images."""

_CLASS = re.compile(r"(\d{1,9})(?:\.0*)?")
"""Number of a class; some exporters write it as a float."""
_LEVELS = 3
"""Most folders in which the names of classes are searched for: that of the labels and those above it."""


def from_coco(path: Path, names: Sequence[str], root: Path) -> tuple[list[Label], list[str]]:
    """Return the categories of the objects in each image, and warnings.

    The format: cocodataset.org/#format-data.

    Raises:
        LedgerError: the file cannot be read, is no COCO file, or does not say which image is which sample.
    """
    try:
        said = json.loads(path.read_text("utf-8-sig"))  # editors of Windows put a mark in front
        categories = {one["id"]: str(one["name"]) for one in said["categories"]}
        images = {one["id"]: str(one["file_name"]) for one in said["images"]}
        carried: dict[object, set[str]] = defaultdict(set)
        for one in said["annotations"]:
            _ = images[one["image_id"]]
            carried[one["image_id"]].add(categories[one["category_id"]])
    except OSError as error:
        raise LedgerError(f"labels cannot be read ({(error.strerror or '').lower()}): `{path}`") from None
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise LedgerError(f"not a COCO file ({type(error).__name__}: {str(error)[:80]}): `{path}`") from None
    keys = list(images.values())
    labels = [tuple(sorted(carried.get(one, ()))) for one in images]
    match = match_keys(keys, names, root=root, says=labels.__getitem__)
    if not match.named:
        raise LedgerError(f"the COCO file names no sample of the dataset: `{path}`")
    if match.problem is not None:
        raise LedgerError(
            f"the COCO file does not say which image is which sample: {match.problem}: `{path}`",
            hint="let file_name hold the path inside the dataset",
        )
    odd = []
    if match.strangers:
        first = keys[match.strangers[0]]
        odd.append(f"{len(match.strangers)} of {len(keys)} images of the COCO file are not samples, first {first}")
    return [() if key is None else labels[key] for key in match.keys], odd


def from_yolo(folder: Path, names: Sequence[str], root: Path) -> tuple[list[Label], list[str]]:
    """Return the classes of the objects in each image, and warnings: one text file per image, one object per line.

    A folder `labels` is beside a folder `images`, as in Ultralytics. Names of classes are those of
    `classes.txt`, `obj.names` or `data.yaml` in the folder or above it, else the numbers. An empty file says that
    nothing is in the image.

    Raises:
        LedgerError: no sample has a file of labels, one file means several samples, or one is malformed.
    """
    folder, root = folder.absolute(), root.absolute()
    source, classes = _classes(folder)
    files = sorted(file for file in folder.rglob("*.txt") if file.name != "classes.txt")
    images = [_without(without_ending(name), "images") for name in names]
    match = _match_files(files, folder, images, root)
    if not match.named:
        raise LedgerError(f"no sample has a label file in: `{folder}`", hint="one .txt per image, of the same name")
    if match.problem is not None:
        raise LedgerError(
            f"the label files do not say which sample is which: {match.problem}: `{folder}`",
            hint="put the label files in the same folders as the images",
        )
    labels: list[Label] = []
    unnamed: set[int] = set()
    empty = 0
    for key in match.keys:
        found = set() if key is None else set(_yolo_classes(files[key]))
        empty += key is not None and not found
        unnamed |= {number for number in found if number not in classes} if classes else set()
        labels.append(tuple(sorted({classes.get(number, str(number)) for number in found})))
    odd = []
    if empty:
        odd.append(f"{empty} of {len(names)} samples have an empty label file: only background, no object")
    if missing := match.keys.count(None):
        odd.append(f"{missing} of {len(names)} samples have no label file")
    if unnamed:
        odd.append(f"class {min(unnamed)} has no name in {source}")
    return labels, odd


def _match_files(files: Sequence[Path], folder: Path, images: Sequence[str], root: Path) -> Match:
    """Return the label file of each image: by its path in the dataset, else by its path in the folder."""
    match = Match(keys=[None] * len(images))
    for base in (root, folder):
        if not folder.is_relative_to(base):
            continue
        keys = [_without(without_ending(file.relative_to(base).as_posix()), "labels") for file in files]
        above = root.parent if root.name == "images" else root
        match = match_keys(keys, images, root=above, says=files.__getitem__, endings=False)
        if match.named:
            break
    return match


def _without(path: str, folder: str) -> str:
    """Return a path without the last folder of this name: paths of images and labels differ only in it."""
    parts = path.split("/")
    for position in range(len(parts) - 2, -1, -1):
        if parts[position] == folder:
            return "/".join(parts[:position] + parts[position + 1 :])
    return path


def _yolo_classes(file: Path) -> Iterator[int]:
    try:
        text = file.read_text("utf-8-sig", "replace")
    except OSError as error:
        raise LedgerError(f"labels cannot be read ({(error.strerror or '').lower()}): `{file}`") from None
    for line in text.splitlines():
        if not line.strip():
            continue
        found = _CLASS.fullmatch(line.split()[0])
        if found is None:
            raise LedgerError(f"a line of the label file does not begin with a class number: `{file}`")
        yield int(found[1])


def _classes(folder: Path) -> tuple[str, dict[int, str]]:
    """Return the file with names of classes and its form; none where there is none."""
    places = [folder, *folder.parents][:_LEVELS]
    for place in places:
        for name in ("classes.txt", "obj.names", "data.yaml", "data.yml", "dataset.yaml", "dataset.yml"):
            if (place / name).is_file() and (found := _class_names(place / name)):
                return name, found
    return "", {}


def _class_names(file: Path) -> dict[int, str]:
    try:
        text = file.read_text("utf-8-sig", "replace")
        if file.suffix not in {".yaml", ".yml"}:
            return {number: line.strip() for number, line in enumerate(text.split("\n")) if line.strip()}
        said = load_yaml(text, str(file))
    except (OSError, LedgerError):
        return {}
    names = said.get("names") if isinstance(said, dict) else None
    if isinstance(names, list):
        return {number: str(name) for number, name in enumerate(names) if name is not None}
    if isinstance(names, dict):
        numbers = {_CLASS.fullmatch(str(number)): name for number, name in names.items()}
        return {int(number[1]): str(name) for number, name in numbers.items() if number and name is not None}
    return {}
