"""What the page on frameworks shows is what `make real` and `make integrations` train, to the letter."""

from tests.handbook.pages import HANDBOOK
from tests.handbook.test_blocks import blocks
from tests.real.conftest import SCRIPTS

PAGE = HANDBOOK / "integrations.md"


def test_each_block_is_a_script_that_is_trained_for_real() -> None:
    shown = sorted([*blocks(PAGE, "python"), *blocks(PAGE, "yaml")])
    files = [*SCRIPTS.glob("with_*.py"), *SCRIPTS.glob("conf/with_*.yaml")]
    assert shown == sorted(file.read_text("utf-8") for file in files)


def test_every_adapter_has_its_block() -> None:
    from tests.test_architecture import PACKAGE

    shared = {"__init__", "adapter", "values"}
    adapters = {file.stem for file in (PACKAGE / "integrations").glob("*.py")} - shared
    assert {file.stem.removeprefix("with_") for file in SCRIPTS.glob("with_*.py")} == adapters
