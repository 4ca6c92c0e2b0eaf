"""The pictures of the handbook's tour: `python -m tests.browser.tour SITE FOLDER`, SITE being that of `ledger demo`.

WebP, as small as text allows: every generated site carries them.
"""

import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from ledger.publish.pages import addresses
from tests.browser.chromium import opened

WIDTH = 1200
"""Width of a picture of a screen, in pixels; a phone is half as wide."""
_QUALITY = 72
"""Of WebP, from 0 to 100: below this, small letters fray."""


def _first_board(tab: Page) -> None:
    tab.get_by_role("region", name="Best setting of each metric").locator("tbody th a").first.click()


def _best_run(tab: Page) -> None:
    _first_board(tab)
    tab.locator(".lg-k-runs a").first.click()


def _comparison(tab: Page) -> None:
    _first_board(tab)
    tab.get_by_role("link", name="Compare the first two").click()
    tab.wait_for_selector(".lg-verdicts")


def _nothing(tab: Page) -> None:
    del tab


VIEWS: Mapping[str, tuple[str, Callable[[Page], None], str | None]] = {
    "home": (addresses.HOME, _nothing, None),
    "leaderboard": (addresses.HOME, _first_board, None),
    "compare": (addresses.HOME, _comparison, None),
    "runs": (f"{addresses.RUNS}#q=experiment%20%3D%20seeds%20and%20width%20%3E%3D%2010", _nothing, None),
    "run": (addresses.HOME, _best_run, None),
    "weak": (addresses.HOME, _best_run, "#weak"),
    "experiment": (addresses.experiment_page("width"), _nothing, None),
    "curves": (addresses.experiment_page("width"), _nothing, "#curves"),
    "dataset": (addresses.dataset_page("digits-validation"), _nothing, None),
    "matrix": (addresses.dataset_page("digits-validation"), _nothing, "#matrix"),
    "machines": (addresses.MACHINES, _nothing, None),
    "phone": (addresses.HOME, _nothing, None),
}
"""Name of each picture to its page, what is clicked there, and the heading that it starts at."""


def photograph(tab: Page, site: Path, name: str) -> bytes:
    """Return one picture as WebP."""
    path, act, heading = VIEWS[name]
    page, _, fragment = path.partition("#")
    tab.goto("about:blank")
    tab.goto((site / page).as_uri() + (f"#{fragment}" if fragment else ""))
    act(tab)
    tab.wait_for_load_state("networkidle")
    if heading:
        tab.locator(heading).evaluate("e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 110)")
    tab.evaluate("document.activeElement?.blur()")
    picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    width = WIDTH // 2 if name == "phone" else WIDTH
    smaller = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    smaller.save(out, "WEBP", quality=_QUALITY, method=6)
    return out.getvalue()


def main(site: Path, folder: Path) -> None:
    """Write all pictures of `site` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    with opened() as browser:
        for name in VIEWS:
            phone = name == "phone"
            with browser.new_context(
                viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 800},
                color_scheme="dark" if phone else "light",
                device_scale_factor=2,
                reduced_motion="reduce",
            ) as context:
                data = photograph(context.new_page(), site.resolve(), name)
            (folder / f"{name}.webp").write_bytes(data)
            total += len(data)
    sys.stdout.write(f"{len(VIEWS)} pictures in {folder}, {total / 1000:.0f} kB\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tests.browser.tour SITE FOLDER")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
