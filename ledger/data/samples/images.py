"""Measurements on images, from files or rows of arrays; and small pictures of them."""

import io
import math
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.model.statistics import ImageSummary
from ledger.model.values import number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
"""Suffixes of image files."""
SIDE = 16
"""Side of the grey images for drift, in pixels: 256 numbers, of which 50 components are used."""
PICTURE_SIDE = 64
"""Longest side of a picture on the ledger, in pixels."""
_SIZES = 50
_NAMED = 100
_THREADS = 4
_DEPTHS = (1, 16, 255, 1_023, 4_095, 16_383, 65_535)
"""Values of white in arrays: 0 to 1, scikit-learn's digits, then 8, 10, 12, 14 and 16 bits."""


@dataclass(frozen=True)
class ImageFile:
    """An image in a file."""

    path: Path

    def open(self) -> "Image":
        """Return the image, fully read.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged.
        """
        from PIL import Image

        with Image.open(self.path) as image:
            image.load()
            return image.copy()


@dataclass(frozen=True)
class ImageRow:
    """An image in a row of an array."""

    array: "NDArray[np.generic]"
    """The array: (images, height, width[, channels]), possibly on disk."""
    row: int
    """Index of the row."""
    white: float
    """Value of white; negative values mean a standardised image, in which 0 is grey."""

    def open(self) -> "Image":
        """Return the image, with eight bits per channel.

        Raises:
            ValueError: its shape is not that of an image.
        """
        import numpy as np
        from PIL import Image

        values = np.nan_to_num(np.asarray(self.array[self.row], dtype=np.float64))
        # Three deviations to each side of the mean hold 99.7 per cent of what was standardised.
        scaled = values / self.white if self.white > 0 else values / 6 + 0.5
        pixels = (np.clip(scaled, 0, 1) * 255).round().astype(np.uint8)
        if pixels.ndim == 3 and pixels.shape[2] == 1:  # noqa: PLR2004  # height, width, channels
            pixels = pixels[:, :, 0]
        return Image.fromarray(pixels)


AnyImage = ImageFile | ImageRow
"""An image that can be opened."""


def white_of(array: "NDArray[np.generic]") -> float:
    """Return the value of white in an array of images; 0 for negative values, which mean standardised images."""
    import numpy as np

    if array.dtype == np.uint8:
        return 255.0
    if array.size == 0:
        return 0.0
    least, largest = float(np.fmin.reduce(array, axis=None)), float(np.fmax.reduce(array, axis=None))
    if not (math.isfinite(least) and math.isfinite(largest)):  # a few odd pixels say nothing of the others
        finite = array[np.isfinite(array)]
        least, largest = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if least < 0:
        return 0.0
    return float(next((depth for depth in _DEPTHS if largest <= depth), largest))


@dataclass(frozen=True)
class ImageLook:
    """The measurements of one image."""

    size: tuple[int, int]
    """Width and height in pixels."""
    mode: str
    """Kind of pixel."""
    means: tuple[float, ...]
    """Mean of each channel, 0 to 1."""
    squares: tuple[float, ...]
    """Mean of the squares of each channel, 0 to 1."""
    grey: "NDArray[np.float32]"
    """The image in grey, (16, 16), 0 to 1."""


def look_at(image: "Image") -> ImageLook:
    """Measure one image."""
    import numpy as np
    from PIL import Image, ImageStat

    size, mode = image.size, image.mode
    if mode in {"I", "F"} or mode.startswith("I;"):
        deep = np.asarray(image, dtype=np.float64)
        white = white_of(deep) or 1.0
        image = Image.fromarray((np.clip(np.nan_to_num(deep) / white, 0, 1) * 255).astype(np.uint8))
    elif mode != "L":
        image = image.convert("RGB" if mode not in {"1", "LA"} else "L")
    counted = ImageStat.Stat(image)
    grey = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return ImageLook(
        size=size,
        mode=mode,
        means=tuple(mean / 255 for mean in counted.mean),
        squares=tuple(total / count / 255**2 for total, count in zip(counted.sum2, counted.count, strict=True)),
        grey=np.asarray(grey, dtype=np.float32) / np.float32(255),
    )


def look_at_all(
    images: Sequence[AnyImage], progress: Callable[[int, int], None] | None = None
) -> list[ImageLook | None]:
    """Measure images in a few threads; the result of an unreadable one is none.

    Args:
        images: where they can be opened.
        progress: told how many are done, and of how many.
    """
    looks: list[ImageLook | None] = []
    # Warnings of Pillow (damaged metadata, large pictures) do not concern whoever adds a version.
    with warnings.catch_warnings(), ThreadPoolExecutor(max_workers=_THREADS) as pool:
        warnings.simplefilter("ignore")
        for look in pool.map(_look_or_none, images):
            looks.append(look)
            if progress is not None:
                progress(len(looks), len(images))
    return looks


def _look_or_none(image: AnyImage) -> ImageLook | None:
    try:
        return look_at(image.open())
    except ModuleNotFoundError:
        raise
    except Exception:  # noqa: BLE001  # damaged files make decoders raise anything, even struct.error and SyntaxError
        return None


def summarise_images(names: Sequence[str], looks: Sequence[ImageLook | None]) -> ImageSummary:
    """Return the summary of images; every image has the same weight, whatever its size.

    Args:
        names: name of each image.
        looks: measurements of each image, none where it cannot be read.
    """
    seen = [look for look in looks if look is not None]
    channels = Counter(len(look.means) for look in seen).most_common(1)
    alike = [look for look in seen if channels and len(look.means) == channels[0][0]]
    means = [sum(values) / len(alike) for values in zip(*(look.means for look in alike), strict=True)]
    squares = [sum(values) / len(alike) for values in zip(*(look.squares for look in alike), strict=True)]
    deviations = [max(0.0, square - mean**2) ** 0.5 for mean, square in zip(means, squares, strict=True)]
    sizes = Counter(f"{look.size[0]}x{look.size[1]}" for look in seen)
    return ImageSummary(
        count=len(seen),
        unreadable=[name for name, look in zip(names, looks, strict=True) if look is None][:_NAMED],
        sizes=dict(sorted(sizes.most_common(_SIZES), key=lambda item: (-item[1], item[0]))),
        modes=dict(sorted(Counter(look.mode for look in seen).items())),
        means=[round(float(number(mean)), 6) for mean in means],
        deviations=[round(float(number(deviation)), 6) for deviation in deviations],
    )


def draw_picture(image: AnyImage) -> bytes | None:
    """Return a small PNG of an image, the same bytes every time; none when it cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = image.open()
        mode = "L" if opened.mode in {"1", "L", "LA"} else "RGB"
        # A new image: other content of the file, such as the place of a photo, must not be copied.
        small = Image.new(mode, opened.size)
        small.paste(opened.convert(mode))
        small.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.BOX)
    except Exception:  # noqa: BLE001  # the same
        return None
    out = io.BytesIO()
    small.save(out, "PNG", compress_level=9)
    return out.getvalue()
