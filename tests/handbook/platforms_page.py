"""The reference page of the platforms that a run may be on, from the table that recognises them."""

import re
from collections.abc import Iterator, Sequence

from ledger.capture.machine.platforms.metadata_service import SECONDS
from ledger.capture.machine.platforms.platform_table import ROWS, PlatformRow
from ledger.settings import METADATA_SETTING
from tests.handbook.markdown import block, code, page, text

WORDS = {
    "job": "job",
    "link": "its page",
    "instance": "type of machine",
    "region": "region",
    "image": "image",
    "life_cycle": "spot or on demand",
    "inputs": "commits of the inputs",
}
"""What a run says of a platform, by field of the table."""


INTRO = (
    "A run says where it ran. `ledger show`, its page and `hardware.platforms` of its record list every platform that "
    "it was on, the innermost first: a task of SkyPilot, in a job of SLURM, in a pod of Kubernetes, on a machine of "
    "EC2. The first of them with a job names the job. What a platform does not tell is left out."
)
READ = (
    "Variables and local files are read, in a few microseconds for each platform; nothing is asked over a network. A "
    "value that [looks like a secret](../secrets.md) is left out, and with [`privacy.host`](../privacy.md) so are ids "
    "that name the machine; `privacy.platforms` leaves out all of it."
)
OTHERS = (
    "`mpirun` and `torchrun` are launchers and no platforms: [Clusters](../clusters.md) says what is read of them. A "
    "cloud that cloud-init names and the table does not is named as cloud-init names it, and only the hash of its "
    "machine's id is stored."
)
GONE = (
    "FloydHub, Spell and Azure Notebooks are gone, and leave nothing to recognise. What their users downloaded holds "
    "the outputs and logs of jobs, and of Azure Notebooks files and notebooks that know of no runs. A table made of "
    "it, one line for each job with its params and metrics, comes by `ledger import FILE --from table`, as "
    "[any table does](../import.md)."
)
OWN = (
    "[The policy](policy-keys.md#platforms) names what no table knows. The link may hold `{job}` and `{instance}`, "
    "behind a host that is written out; variables whose names are those of secrets are refused."
)
EXAMPLE = """platforms:
  hal:
    sign: HAL_JOB  # a variable, or the path of a file
    job: HAL_JOB   # the variable with the id; add `hashed: true` where the id opens something
    link: https://hal.example.org/jobs/{job}
    instance: HAL_NODE_TYPE"""
ASK = (
    "On EC2, Google Compute Engine and Azure the machine may ask the metadata service of its host for what local files "
    "do not tell: type of machine, region, and whether it is spot. The same service hands out credentials, and asking "
    "it may raise an alarm, so that it is asked only where you allow it: with `metadata: true` in the policy, or in "
    "one clone, whose word is the last:"
)
LIMIT = (
    f"Three values are asked for by name, never the tree they stand in, and {SECONDS:g} s after the first question the "
    "run goes on with what it has."
)


def render_platforms() -> str:
    return page(
        "How each platform is recognised that a run ran on, what is read of it, and what never is",
        "Platforms",
        INTRO,
        (
            READ,
            f"## Which are known\n\n{_table()}",
            OTHERS,
            GONE,
            f"## Your own\n\n{OWN}",
            block("yaml", EXAMPLE),
            f"## Ask the cloud\n\n{ASK}",
            block("console", f"$ git config {METADATA_SETTING} true"),
            LIMIT,
        ),
    )


def _table() -> str:
    lines = ["| Platform | Is recognised by | Tells | Is never read | Is worth knowing |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_line(row) for row in ROWS)])


def _line(row: PlatformRow) -> str:
    told = [word for field, word in WORDS.items() if getattr(row, field)]
    never = _listed(row.never) or "no name of it is a secret"
    cells = (row.name, _listed(row.signs), ", ".join(told) or "nothing more", never, text(row.trap))
    return f"| {' | '.join(cells)} |"


def _listed(sources: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(_shown(sources)))


def _shown(sources: Sequence[str]) -> Iterator[str]:
    """Yield sources without their filters, which mean something to the program only."""
    for source in sources:
        place, is_value, value = re.sub(r"\|[a-z0-9-]+", "", source).partition(" = ")
        yield f"{code(place)} is {code(value)}" if is_value else code(place)
