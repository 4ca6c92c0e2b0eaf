"""Descriptions of a dataset version for the terminal."""

from collections.abc import Mapping

from ledger.analysis.query.fields import show_value
from ledger.data.samples.drift import describe
from ledger.model.entries import DatasetVersion
from ledger.model.statistics import DatasetStatistics, Drift, ImageSummary
from ledger.model.values import counted

_SHOWN = 12


def statistics_lines(statistics: DatasetStatistics) -> list[str]:
    """Return the statistics of a version, one line each."""
    lines = [counted(statistics.samples, "sample")]
    if statistics.labels:
        lines.append(f"labels: {counts_text(statistics.labels)}")
    slices: dict[str, dict[str, int]] = {}
    for one in statistics.slices:
        slices.setdefault(one.name, {})[one.value] = one.samples
    lines += [f"by {name}: {counts_text(values)}" for name, values in slices.items()]
    if statistics.images:
        lines.append(f"images: {_images(statistics.images)}")
    for feature in statistics.features[:_SHOWN]:
        least, middle, most = (show_value(feature.quantiles[index]) for index in (0, 3, -1))
        missing = f", {feature.missing} missing" if feature.missing else ""
        lines.append(f"{feature.name}: {least} to {most}, median {middle}, mean {show_value(feature.mean)}{missing}")
    if len(statistics.features) > _SHOWN:
        lines.append(f"and {len(statistics.features) - _SHOWN} features more (--json)")
    return lines


def counts_text(counts: Mapping[str, int], *, signed: bool = False) -> str:
    """Return the largest counts as text."""
    largest = sorted(counts.items(), key=lambda item: (-abs(item[1]), item[0]))
    shown = ", ".join(f"{name} {count:+d}" if signed else f"{name} {count}" for name, count in largest[:_SHOWN])
    return f"{shown} and {len(largest) - _SHOWN} more" if len(largest) > _SHOWN else shown


def _images(images: ImageSummary) -> str:
    means = ", ".join(f"{mean:.3f}" for mean in images.means)
    return (
        f"{images.count} read, {counts_text(images.sizes)} pixels; {counts_text(images.modes)}; channel means {means}"
    )


def drift_lines(drift: Drift) -> list[str]:
    """Return the drift of a version from a reference, one line for each figure that drifted, and one for the others."""
    drifted = [figure for figure in drift.figures if figure.drifted]
    lines = [f"drift from {drift.reference}: {len(drifted)} of {len(drift.figures)} comparisons drifted"]
    lines += [f"  {describe(figure)}" for figure in drifted[:_SHOWN]]
    if drift.skipped:
        lines.append(
            f"  not compared: {', '.join(f'{name} ({why})' for name, why in [*drift.skipped.items()][:_SHOWN])}"
        )
    return lines


def change_lines(version: DatasetVersion) -> list[str]:
    """Return the changes of a version against its parent, one line each."""
    change = version.change
    if change is None:
        return []
    files = f"{counted(change.added, 'file')} added, {change.removed} removed, {change.changed} changed"
    lines = [f"against {change.parent}: {files}, {counted(change.relabelled, 'sample')} relabelled"]
    if change.labels:
        lines.append(f"labels since: {counts_text(change.labels, signed=True)}")
    return lines
