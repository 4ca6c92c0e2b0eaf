"""The pages of the handbook that a program writes, and how each is written."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.conftest import ROOT
from tests.handbook.commands_page import render_commands
from tests.handbook.fields_page import render_fields
from tests.handbook.platforms_page import render_platforms
from tests.handbook.policy_page import render_policy_keys
from tests.handbook.python_page import render_python
from tests.handbook.settings_page import render_settings

HANDBOOK = ROOT / "site" / "docs" / "handbook"
TUTORIAL = HANDBOOK / "tutorial.md"
REFERENCE: Mapping[Path, Callable[[], str]] = {
    HANDBOOK / "reference" / "commands.md": render_commands,
    HANDBOOK / "reference" / "python.md": render_python,
    HANDBOOK / "reference" / "settings.md": render_settings,
    HANDBOOK / "reference" / "fields.md": render_fields,
    HANDBOOK / "reference" / "policy-keys.md": render_policy_keys,
    HANDBOOK / "reference" / "platforms.md": render_platforms,
}
"""Pages that are made of the code, and what makes them."""
WRITE = "python -m tests.handbook --write"
"""What to type when a page is behind."""
