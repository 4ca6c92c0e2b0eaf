"""A dataset version on its page: its changes, its statistics, its drift from production."""

from collections.abc import Callable, Mapping, Sequence

from ledger.data.samples.drift import describe
from ledger.model.datasets import SamplePicture
from ledger.model.entries import DatasetVersion, Note
from ledger.model.paths import dataset_path
from ledger.model.statistics import Drift
from ledger.model.values import Document
from ledger.publish.charts.drift_figure import render_drift
from ledger.publish.charts.label_balance import render_balance
from ledger.publish.pages import addresses
from ledger.publish.pages.page import markup
from ledger.publish.site.site_data import Atlas

_PNG = b"\x89PNG\r\n\x1a\n"
"""The eight bytes that every PNG starts with (PNG specification, section 5.2)."""
_PICTURE_LIMIT = 64 * 1024
"""Largest picture of a sample, in bytes."""


class Shown(Document, frozen=True, kw_only=True):
    """One picture of a sample on the page."""

    sample: str
    """Path of the sample inside the dataset."""
    label: str | None
    """Its label."""
    source: str
    """URL for the <img>, relative to the page."""


class Story(Document, frozen=True, kw_only=True):
    """The card of a dataset version."""

    version: DatasetVersion
    """The version."""
    judged: int
    """Runs measured on it."""
    trained: int
    """Runs trained on it."""
    retired: Note | None
    """Why it was retired."""
    pictures: Mapping[str, list[Shown]]
    """Pictures of some samples, by kind of change (`added`, …)."""
    balance: str
    """Its labels, and the parent's, as a chart; empty without labels."""
    drift: list[tuple[Drift, str, list[tuple[str, str]]]]
    """Each comparison, its chart, and its figures as verdict and words: those that drifted first."""


def tell(version: DatasetVersion, parent: DatasetVersion | None, slot: int, atlas: Atlas) -> Story:
    """Return the card of a version; `slot` is the index of its colour."""
    members = atlas.measurements.get(version.hash, ())
    trained = sum(
        any(use.hash == version.hash and use.role == "train" for use in run.record.datasets.used) for run in atlas.runs
    )
    labels = version.statistics.labels if version.statistics else {}
    then = parent.statistics.labels if parent and parent.statistics and parent.statistics.labels else None
    balance = render_balance(labels, then, title=f"Labels of {version.label}", slot=slot % 8) if labels else ""
    return Story(
        version=version,
        judged=len({member.run.record.id for member in members}),
        trained=trained,
        retired=atlas.retired.get(version.label),
        pictures=_pictures(version, atlas),
        balance=markup(balance),
        drift=[(drift, markup(render_drift(drift)), _figures(drift)) for drift in version.drift],
    )


def _figures(drift: Drift) -> list[tuple[str, str]]:
    ordered = sorted(drift.figures, key=lambda figure: not figure.drifted)
    return [("drifted" if figure.drifted else "within chance", describe(figure)) for figure in ordered]


def _pictures(version: DatasetVersion, atlas: Atlas) -> dict[str, list[Shown]]:
    found: dict[str, list[Shown]] = {}
    for picture in version.change.pictures if version.change else ():
        if blob_of(version, picture, atlas.pictures):
            source = addresses.link(addresses.sample_picture(version.name, picture.hash), 1)
            found.setdefault(picture.change, []).append(
                Shown(sample=picture.sample, label=picture.label, source=source)
            )
    return found


def blob_of(version: DatasetVersion, picture: SamplePicture, pictures: Mapping[str, str]) -> str | None:
    """Return the blob of a version's picture; none when its path is not as expected."""
    return pictures.get(f"{dataset_path(version.name, version.version)}/{picture.file}")


def is_small_picture(data: bytes) -> bool:
    """Return whether the picture of a sample becomes a file of the site: a PNG of at most 64 KiB."""
    return data.startswith(_PNG) and len(data) <= _PICTURE_LIMIT


def picture_files(
    versions: Sequence[DatasetVersion], atlas: Atlas, read_blob: Callable[[str], bytes]
) -> dict[str, bytes]:
    """Return the content of pictures on the page of a dataset, by path in the site; only small PNGs count."""
    files = {}
    for version in versions:
        for picture in version.change.pictures if version.change else ():
            blob = blob_of(version, picture, atlas.pictures)
            data = read_blob(blob) if blob else b""
            if is_small_picture(data):
                files[addresses.sample_picture(version.name, picture.hash)] = data
    return files
