"""The platforms that a run is on, by the table of `platform_table.py`, the policy's own and local files.

Knows no platform by name. Nothing is asked over a network here, and a value that looks like a secret is left out.
"""

import re
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, unquote_plus, urlsplit

import msgspec

from ledger.capture.machine.platforms.metadata_service import ADDRESS, SERVICES, Address, read_metadata
from ledger.capture.machine.platforms.own_platforms import OwnPlatform
from ledger.capture.machine.platforms.platform_table import NEVER, OTHER_CLOUD, ROWS, PlatformRow
from ledger.capture.secrets.names import secret_name
from ledger.capture.secrets.redactor import find_secrets
from ledger.capture.secrets.team_rules import NONE, OwnSecrets
from ledger.hashing import hash_bytes
from ledger.model.boxes.machine import Platform

_SOURCE = re.compile(r"\{([^{}]+)\}")
_FIELDS = ("job", "instance", "region", "image", "life_cycle")
_LENGTH = 200
"""Most characters of a value; a longer one is something else."""
_LINK_LENGTH = 500
_FILE_BYTES = 1 << 20
"""Most bytes of a file that is read: what cloud-init keeps has some 20 KB."""
_HASH_LENGTH = len("blake3:") + 16
_LIFE = {"spot": "spot", "on-demand": "on-demand", "regular": "on-demand", "low": "spot"}
_NO_CLOUD = {"aws", "gce", "azure", "unknown", "none", "nocloud", "configdrive", "lxd"}
"""Clouds with a row of their own, and names under which cloud-init runs outside of a cloud."""
_COMMIT = "_COMMIT"
"""End of the name of the variable with the commit of an input."""
_INPUTS = 50


def _matching(pattern: str) -> Callable[[str], str | None]:
    return lambda value: value if re.fullmatch(pattern, value) else None


_FILTERS: dict[str, Callable[[str], str | None]] = {
    "arn-name": lambda arn: arn.rpartition("/")[2] if arn.count(":") >= 5 else None,  # noqa: PLR2004  # parts of an ARN
    "arn-region": lambda arn: arn.split(":")[3] if arn.count(":") >= 5 else None,  # noqa: PLR2004
    "cloud": lambda name: name if re.fullmatch(r"[a-z0-9-]{1,40}", name) and name not in _NO_CLOUD else None,
    "ec2-id": _matching(r"i-[0-9a-f]{8,17}"),
    "ec2-type": _matching(r"[a-z0-9-]+\.[a-z0-9-]+"),
    "hash": lambda value: hash_bytes(value.encode("utf-8", "surrogateescape"))[:_HASH_LENGTH],
    "label": lambda value: value.removeprefix("C."),
    "life": lambda word: _LIFE.get(word.lower()),
    "owned": _matching(r"[\w.-]+/[\w.-]+"),
    "plus": unquote_plus,
    "real": lambda value: value if value != "local" else None,
}
"""Filters of sources: none where the value says nothing."""


def capture_platforms(
    root: Path,
    variables: Mapping[str, str],
    *,
    own: Mapping[str, OwnPlatform] | None = None,
    secrets: OwnSecrets = NONE,
    metadata: Callable[[], bool] = lambda: False,
    address: Address = ADDRESS,
) -> list[Platform]:
    """Return the platforms that a run is on, innermost first; those of the policy are the innermost.

    Args:
        root: root of the file system; `/` except in tests.
        variables: environment variables.
        own: the team's own platforms, by name.
        secrets: the team's own kinds of secrets.
        metadata: whether the metadata service of the cloud may be asked; called in a cloud that has one only.
        address: host and port of that service.
    """
    sources = _Sources(root, variables)
    found = [_own(name, one, sources) for name, one in (own or {}).items() if sources.has(one.sign)]
    rows = [row for row in ROWS if any(sources.shows(sign) for sign in row.signs)]
    if any(sources.shows(sign) for sign in OTHER_CLOUD.signs):
        rows.append(msgspec.structs.replace(OTHER_CLOUD, name=sources.read(OTHER_CLOUD.name) or ""))
    found += [_platform(row, sources) for row in rows]
    cloud = next((one for one in found if one.name in SERVICES), None)
    fields = [field for field in SERVICES[cloud.name].paths if not getattr(cloud, field)] if cloud else []
    if cloud and fields and metadata():
        found[found.index(cloud)] = msgspec.structs.replace(cloud, **read_metadata(cloud.name, fields, address))
    return [_without_secrets(platform, secrets) for platform in found]


class _Sources:
    """Variables and files of the machine, each file read once."""

    def __init__(self, root: Path, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self._root = root
        self._texts: dict[str, str] = {}

    def has(self, source: str) -> bool:
        """Return whether a variable has a value, or a file exists; neither is read."""
        if source.startswith("/"):
            try:
                return (self._root / source[1:]).exists()
            except OSError:
                return False
        return bool(self.variables.get(source))

    def shows(self, sign: str) -> bool:
        """Return whether a sign of the table is there."""
        source, demands, value = sign.partition(" = ")
        if demands:
            return self.read(source) == value
        return self.read(source) is not None if "#" in source or "|" in source else self.has(source)

    def read(self, source: str) -> str | None:
        """Return what a source says, after its filter; none where it says nothing that a record may hold."""
        where, _, name = source.partition("|")
        place, _, path = where.partition("#")
        if place in NEVER or (not place.startswith("/") and secret_name(place)):
            return None
        is_file = place.startswith("/")
        text = self._text(place) if is_file else self.variables.get(place, "").strip()
        value = _inside(text, path) if path else text.strip().partition("\n")[0] if is_file else text
        if not value or len(value) > _LENGTH or not value.isprintable():
            return None
        return (_FILTERS[name](value) or None) if name else value

    def fill(self, template: str, *, link: bool = False) -> str | None:
        """Return a template with what its sources say; none where one of them says nothing."""
        values = {source: self.read(source) for source in _SOURCE.findall(template)}
        if any(value is None for value in values.values()):
            return None

        def put(match: re.Match[str]) -> str:
            value = values[match[1]] or ""
            return quote(value, safe="/") if link and match.start() else value

        return _SOURCE.sub(put, template)

    def _text(self, path: str) -> str:
        if path not in self._texts:
            self._texts[path] = _read(self._root / path[1:])
        return self._texts[path]


def _read(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return ""  # a pipe would wait for its writer
        with path.open("rb") as file:
            return file.read(_FILE_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""


def _inside(text: str, path: str) -> str | None:
    """Return the text or number at a path of keys in JSON."""
    try:
        value = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    for key in path.split("/"):
        value = value.get(key) if isinstance(value, dict) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _platform(row: PlatformRow, sources: _Sources) -> Platform:
    said = {
        field: next((value for template in getattr(row, field) if (value := sources.fill(template))), None)
        for field in _FIELDS
    }
    links = (sources.fill(template, link=True) for template in row.link)
    inputs = dict(_inputs(row.inputs, sources)) if row.inputs else {}
    return Platform(
        name=row.name, link=next((link for link in links if link and is_link(link)), None), inputs=inputs, **said
    )


def _own(name: str, one: OwnPlatform, sources: _Sources) -> Platform:
    job = sources.read(f"{one.job}|hash" if one.hashed else one.job) if one.job else None
    instance = sources.read(one.instance) if one.instance else None
    link = one.link
    for word, value in (("{job}", job), ("{instance}", instance)):
        link = link if word not in link else link.replace(word, quote(value, safe="")) if value else ""
    return Platform(name=name, job=job, instance=instance, link=link if is_link(link) else None)


def _inputs(folder: str, sources: _Sources) -> Iterator[tuple[str, str]]:
    """Yield the commit of each input: `NAME` is its place in `folder`, `NAME_COMMIT` its commit."""
    names = sorted(name for name in sources.variables if name.endswith(_COMMIT) and not secret_name(name))
    for name in names[:_INPUTS]:
        place = name.removesuffix(_COMMIT)
        commit = sources.read(name) if (sources.read(place) or "").startswith(folder) else None
        if commit and re.fullmatch(r"[0-9a-f]{32,40}", commit):
            yield place, commit


def is_link(link: str) -> bool:
    """Return whether a link is an address on the web, without a user, that a page may show."""
    if not re.fullmatch(r"https?://[!-~]+", link) or len(link) > _LINK_LENGTH or re.search(r"[\"'<>`\\^{}|]", link):
        return False
    try:
        parts = urlsplit(link)
        return bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def _without_secrets(platform: Platform, secrets: OwnSecrets) -> Platform:
    """Return a platform without the values that look like secrets: half of an id is no id."""

    def is_secret(text: str) -> bool:
        return bool(find_secrets(text.encode("utf-8", "surrogatepass"), secrets))

    values = {field: value for field in (*_FIELDS, "link") if (value := getattr(platform, field))}
    if not is_secret("\n".join([*values.values(), *platform.inputs, *platform.inputs.values()])):
        return platform
    kept = {field: None for field, value in values.items() if is_secret(value)}
    inputs = {name: value for name, value in platform.inputs.items() if not is_secret(f"{name}\n{value}")}
    return msgspec.structs.replace(platform, inputs=inputs, **kept)
