"""The reference page of environment variables and settings of git, from the one table of them."""

from collections.abc import Sequence

from ledger import settings
from ledger.capture.machine.environment import PREFIXES, VARIABLES
from ledger.model.schema import constant_docs
from ledger.repository.hosts.hosts import TOKENS
from tests.handbook.markdown import block, code, definitions, page, text

NAMES = {"github": "GitHub", "gitlab": "GitLab", "forgejo": "Forgejo and Gitea"}


def render_settings() -> str:
    tokens = (
        (", ".join(map(code, names)), f"Token for {NAMES[host]}, where its own command line is not installed.")
        for host, names in TOKENS.items()
    )
    others = (
        *((names, text(meaning)) for names, meaning in tokens),
        ("`NO_COLOR`", "No colour."),
        ("`XDG_STATE_HOME`", "Where records wait that have no writable repository; `~/.local/state` by default."),
        ("`XDG_CACHE_HOME`", "Where the cache of prepared data lies, in a folder `ledger`; `~/.cache` by default."),
    )
    return page(
        "Environment variables and settings of git that ledger reads or sets",
        "Variables and settings",
        "What belongs to a team stands in [the policy](policy-keys.md), and what belongs to a process or a clone here.",
        (
            f"## Variables that you may set\n\n{_listed(settings.ASKED)}",
            "## Variables that commands find\n\nledger sets them for the commands that it starts.",
            _listed(settings.GIVEN),
            f"## Variables of others that are read\n\n{definitions(others)}",
            "Launchers and schedulers tell a rank by their own: [Clusters](../clusters.md).",
            "## Variables that a record keeps",
            "The environment box holds `PYTHONPATH`, these where they are set, and no other:",
            ", ".join(code(name) for name in sorted(VARIABLES)) + f", and all that begin with {code(PREFIXES[0])}.",
            "## Settings of git\n\nThey are read as git reads any setting: of the repository, the user or the machine.",
            block("console", "$ git config ledger.push false"),
            _listed(settings.SETTINGS),
        ),
    )


def _listed(names: Sequence[str]) -> str:
    docs = constant_docs(settings)
    said = {value: docs[name] for name, value in vars(settings).items() if name in docs and isinstance(value, str)}
    return definitions((code(name), text(said[name])) for name in names)
