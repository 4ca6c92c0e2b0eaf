"""What a script draws of a chart of bands is what its picture shows."""

from ledger.analysis.data.curve_bands import CurveBand
from ledger.publish.charts.band_chart import PLACES, BandLine, band_values


def line(xs: list[float], mean: list[float], runs: int = 1) -> BandLine:
    band = CurveBand(xs=xs, mean=mean, low=[y - 1 for y in mean], high=[y + 1 for y in mean])
    return BandLine(name="a", band=band, runs=runs)


def test_places_are_written_once_a_band_where_there_are_repeats_and_nothing_for_what_is_no_number() -> None:
    lines = [line([0, 1e9], [0.25, float("nan")], runs=2), line([0, 1e9], [1 / 3, 2]), line([5.5], [3e-7])]
    assert band_values(lines) == "0,1000000000;0.25,;-0.75,;1.25,|;0.33333,2|5.5;3e-07"
    assert band_values([]) == ""


def test_a_long_line_has_no_more_points_than_its_picture() -> None:
    written = band_values([line([float(at) for at in range(1000)], [0.5] * 1000)])
    assert len(written.split(";")[0].split(",")) == PLACES
