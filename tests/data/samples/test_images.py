"""Pictures in arrays and files: white is found from what is whole, and a broken one is none."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ledger.data.samples.images import (
    PICTURE_SIDE,
    SIDE,
    ImageFile,
    ImageRow,
    draw_picture,
    look_at,
    look_at_all,
    summarise_images,
    white_of,
)

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("values", "white"),
    [
        ([0.0, 1.0], 1.0),
        ([0, 16], 16.0),
        ([0, 17], 255.0),
        ([0, 255], 255.0),
        ([0, 256], 1023.0),
        ([0, 65535], 65535.0),
        ([0, 65536], 65536.0),
        ([-0.1, 1.0], 0.0),
        ([0, 0], 1.0),
        ([], 0.0),
        ([NAN, 0.5], 1.0),
        ([INF, 0.5], 1.0),
        ([-INF, NAN, 200.0], 255.0),
        ([-INF, -1.0], 0.0),
        ([NAN, NAN], 1.0),
        ([False, True], 1.0),
    ],
)
@pytest.mark.filterwarnings("error")
def test_white_is_the_least_usual_depth_that_holds_every_number(values: list[float], white: float) -> None:
    assert white_of(np.array(values)) == white


def test_white_of_bytes_is_that_of_bytes() -> None:
    assert white_of(np.zeros(3, np.uint8)) == 255.0


@pytest.mark.parametrize(
    ("values", "white", "pixels"),
    [
        ([[0.0, 1.0]], 1.0, [[0, 255]]),
        ([[0.5, 2.0]], 1.0, [[128, 255]]),
        ([[NAN, INF]], 1.0, [[0, 255]]),
        ([[-3.0, 3.0]], 0.0, [[0, 255]]),
        ([[0.0, -99.0]], 0.0, [[128, 0]]),
        ([[[16.0], [0.0]]], 16.0, [[255, 0]]),
    ],
)
def test_a_row_of_an_array_is_a_picture_of_bytes(values: object, white: float, pixels: object) -> None:
    opened = ImageRow(np.array([values]), 0, white).open()
    assert np.asarray(opened).tolist() == pixels


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F", "YCbCr"])
def test_every_kind_of_pixel_can_be_looked_at_and_drawn(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (40, 20))
    look = look_at(image)
    assert (look.size, look.mode) == ((40, 20), mode)
    assert look.grey.shape == (SIDE, SIDE)
    assert 0 <= float(look.grey.min()) <= float(look.grey.max()) <= 1
    assert len(look.means) == len(look.squares) in {1, 3}
    if mode not in {"CMYK", "F", "YCbCr"}:
        image.save(tmp_path / "x.tif" if mode not in {"P", "RGBA", "LA"} else tmp_path / "x.png")
        assert draw_picture(ImageFile(next(tmp_path.iterdir()))) is not None


@pytest.mark.parametrize(("size", "drawn"), [((300, 100), (64, 21)), ((10, 5), (10, 5)), ((1, 1000), (1, 64))])
def test_a_picture_on_the_ledger_is_small(tmp_path: Path, size: tuple[int, int], drawn: tuple[int, int]) -> None:
    Image.new("RGB", size, (1, 2, 3)).save(tmp_path / "x.png")
    png = draw_picture(ImageFile(tmp_path / "x.png"))
    assert png is not None
    (tmp_path / "small.png").write_bytes(png)
    with Image.open(tmp_path / "small.png") as small:
        assert small.size == drawn
        assert max(small.size) <= PICTURE_SIDE


def test_what_cannot_be_read_is_none_and_the_order_stays(tmp_path: Path) -> None:
    Image.new("L", (2, 3), 51).save(tmp_path / "ok.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:500])
    seen: list[tuple[int, int]] = []
    names = ["bad.png", "ok.png", "gone.png", "cut.png", "ok.png"]
    images = [ImageFile(tmp_path / name) for name in names]
    looks = look_at_all(images, lambda done, of: seen.append((done, of)))
    assert [look is not None for look in looks] == [False, True, False, False, True]
    assert seen == [(number, 5) for number in range(1, 6)]
    summary = summarise_images(names, looks)
    assert (summary.count, summary.unreadable, summary.sizes) == (2, ["bad.png", "gone.png", "cut.png"], {"2x3": 2})
    assert (summary.means, summary.deviations) == ([0.2], [0.0])
    assert draw_picture(images[0]) is None


def test_of_no_readable_picture_nothing_is_claimed() -> None:
    summary = summarise_images(["a", "b"], [None, None])
    assert (summary.count, summary.sizes, summary.modes, summary.means, summary.deviations) == (0, {}, {}, [], [])
    assert look_at_all([]) == []


def test_means_are_those_of_the_most_frequent_number_of_channels() -> None:
    looks = [look_at(Image.new("RGB", (2, 2), (255, 0, 0))), *[look_at(Image.new("L", (2, 2), 51))] * 2]
    summary = summarise_images(["a", "b", "c"], looks)
    assert summary.means == [0.2]
    assert summary.modes == {"L": 2, "RGB": 1}
