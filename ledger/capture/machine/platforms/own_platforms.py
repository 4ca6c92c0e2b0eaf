"""A team's own platforms, as its policy states them."""

import re
from collections.abc import Iterator, Mapping

from ledger.capture.machine.platforms.platform_table import NEVER, ROWS
from ledger.capture.secrets.names import secret_name
from ledger.model.values import Document

_NAME = r"[a-z0-9][a-z0-9.-]{0,39}"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
_FILE = r"(?:/[\w.@+-]+)+"
_LINK = r"(?a)https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/(?:[\w./~%?#=&:;,+-]|\{job\}|\{instance\})*)?"
"""Shapes, compiled when a policy has such a section: every recording imports this module."""
_MOST = 50


class OwnPlatform(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team's own platform."""

    sign: str
    """Environment variable that only a run there has, or absolute path of a file that only exists there."""
    job: str = ""
    """Environment variable with the id of the job."""
    link: str = ""
    """Address of the job's page, such as `https://cluster.example.org/jobs/{job}`; `{instance}` is replaced, too."""
    instance: str = ""
    """Environment variable with the type of machine."""
    hashed: bool = False
    """Whether only a hash of the id is stored, because the id itself opens something."""


def wrong_platforms(platforms: Mapping[str, OwnPlatform]) -> Iterator[str]:
    """Yield what is wrong with a policy's section on platforms, each as `field: why`."""
    if len(platforms) > _MOST:
        yield f"platforms: at most {_MOST} are allowed"
    known = {row.name for row in ROWS}
    for name, one in platforms.items():
        if not re.fullmatch(_NAME, name):
            yield f"platforms: a name must be lower-case letters, digits, `.` and `-`: `{ascii(name)[1:-1]}`"
            continue
        if name in known:
            yield f"platforms: the name is that of a known platform: `{name}`"
        variables = {"job": one.job, "instance": one.instance}
        if not one.sign.startswith("/"):
            variables["sign"] = one.sign
        wrong = ((field, _wrong_variable(variable)) for field, variable in variables.items() if variable)
        yield from (f"platforms.{name}.{field}: {why}" for field, why in wrong if why)
        if not one.sign or (one.sign.startswith("/") and not re.fullmatch(_FILE, one.sign)):
            yield f"platforms.{name}.sign: a variable or the path of a file expected: `{ascii(one.sign)[1:-1]}`"
        if one.link and not re.fullmatch(_LINK, one.link):
            yield (
                f"platforms.{name}.link: an address that begins with `https://` and a host expected, in which only "
                f"`{{job}}` and `{{instance}}` are replaced: `{ascii(one.link)[1:-1]}`"
            )


def _wrong_variable(variable: str) -> str | None:
    if not re.fullmatch(_VARIABLE, variable):
        return f"it must name a variable: `{ascii(variable)[1:-1]}`"
    return f"it names a secret: `{variable}`" if variable in NEVER or secret_name(variable) else None
