"""Where the pages of the handbook are."""

from tests.conftest import ROOT

HANDBOOK = ROOT / "site" / "docs" / "handbook"
TUTORIAL = HANDBOOK / "tutorial.md"
REFERENCE = HANDBOOK / "reference"
