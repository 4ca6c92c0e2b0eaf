"""What the scripts of data hand to the pages of a site."""

import json
import re
from pathlib import Path
from typing import Any


def called(script: Path) -> Any:  # JSON
    """Return what a script of data calls `ledgerData` with."""
    match = re.fullmatch(r'ledgerData\("[^"]+", (.+)\);\n', script.read_text("utf-8"))
    assert match is not None, script
    return json.loads(match[1])
