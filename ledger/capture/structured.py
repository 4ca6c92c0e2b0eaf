"""Reads the YAML, JSON or TOML file that a user named into plain values, or says what is wrong and where.

YAML follows the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): `1e-3` is a
number, `no` and dates are text. Tags, more than one document and alias bombs are refused.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import LedgerError, NotFound

if TYPE_CHECKING:
    from yaml.events import Event
    from yaml.nodes import MappingNode, Node, ScalarNode

SIZE_LIMIT = 5_000_000
"""Bytes; a file of inputs or results that people wrote or read is far smaller."""
_NODE_LIMIT = 1_000_000
"""Values a YAML file may stand for with its aliases followed; without aliases 5 MB cannot hold more."""
_DEPTH_LIMIT = 100
_SUFFIXES = {".yaml": "YAML", ".yml": "YAML", ".json": "JSON", ".toml": "TOML"}

_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_NAN = re.compile(r"\.(?:nan|NaN|NAN)")


def read_bytes(path: Path, what: str, *, limit: int, advice: str | None = None) -> bytes:
    """Return the bytes of a file the user named, at most `limit` of them.

    Args:
        path: the file.
        what: what it should be, for messages: `params`.
        limit: largest size in bytes.
        advice: what to do about a file that is larger.

    Raises:
        NotFound: there is no such file.
        LedgerError: it is a folder, cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise NotFound(f"there is no {what} file: `{path}`", hint="check the path, or leave it out") from None
    except IsADirectoryError:
        raise LedgerError(f"the {what} file is a folder: `{path}`", hint="name a file in it") from None
    except (OSError, ValueError) as error:
        raise LedgerError(f"the {what} file cannot be read ({_reason(error)}): `{path}`") from None
    if len(data) > limit:
        raise LedgerError(f"the {what} file is larger than {limit / 1e6:g} MB: `{path}`", hint=advice)
    return data


def read_mapping(path: Path, what: str, *, advice: str | None = None) -> dict[str, object]:
    """Return what a YAML, JSON or TOML file says, by its suffix; an empty YAML file says nothing.

    Args:
        path: the file.
        what: what it should be, for messages: `params`.
        advice: what to do about a file over 5 MB.

    Raises:
        NotFound: there is no such file.
        LedgerError: it cannot be read, is malformed (with the line), or holds no mapping.
    """
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise LedgerError(
            f"a {what} file ends in .yaml, .json or .toml: `{path}`", hint=f"rename it, such as {what}.yaml"
        )
    data = read_bytes(path, what, limit=SIZE_LIMIT, advice=advice)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LedgerError(f"{path}, line {line}: not UTF-8", hint="save the file as UTF-8") from None
    load: Callable[[str, str], object] = {"YAML": _load_yaml, "JSON": _load_json, "TOML": _load_toml}[kind]
    try:
        values = load(text, str(path))
    except RecursionError:
        raise LedgerError(f"nested too deeply: `{path}`") from None
    if not isinstance(values, Mapping):
        raise LedgerError(
            f"{path}, line 1: names and values expected, not {type_name(values)}", hint=f"write `name: value` ({kind})"
        )
    return {str(name): value for name, value in values.items()}


def type_name(value: object) -> str:
    """Return how people call the type of a plain value."""
    names = {
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a mapping",
    }
    return "nothing" if value is None else names.get(type(value), type(value).__name__)


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _load_toml(text: str, source: str) -> object:
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError as error:
        place = re.search(r" \(at (line \d+), column \d+\)\Z", str(error))
        message = str(error)[: place.start()] if place else str(error)
        where = f", {place[1]}" if place else ""
        raise LedgerError(f"{source}{where}: {_first_lower(message)}", hint="mend the TOML") from None


class _Repeated(Exception):  # not an error of ours: it only carries the name out of the parser
    pass


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        raise _Repeated(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]  # `add` marks it as seen
    return values


def _load_json(text: str, source: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except _Repeated as repeated:
        name = str(repeated)
        places = [match.start() for match in re.finditer(re.escape(json.dumps(name)) + r"\s{0,99}:", text)]
        line = text.count("\n", 0, places[-1]) + 1 if places else 1
        raise LedgerError(f"{source}, line {line}: the name stands twice: `{name}`", hint="remove one") from None
    except json.JSONDecodeError as error:
        raise LedgerError(f"{source}, line {error.lineno}: {_first_lower(error.msg)}", hint="mend the JSON") from None
    except ValueError as error:
        raise LedgerError(f"{source}: {_first_lower(str(error))}", hint="mend the JSON") from None


def _load_yaml(text: str, source: str) -> object:
    import yaml

    kind = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader = kind(text)
    try:
        _check_depth(yaml.parse(text, Loader=kind), source)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise LedgerError(
            f"{source}, line {line}: {_first_lower(error.problem or 'not YAML')}", hint="mend the YAML"
        ) from None
    except yaml.YAMLError as error:
        raise LedgerError(f"{source}: {_first_lower(str(error).splitlines()[0])}", hint="mend the YAML") from None
    finally:
        loader.dispose()
    return {} if node is None else _YamlValues(source).build(node) or {}


def _check_depth(events: "Iterable[Event]", source: str) -> None:
    """Refuse deep nesting before values are made: libyaml's composer recurses in C until the process dies."""
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind.endswith("StartEvent")
        depth -= kind.endswith("EndEvent")
        if depth > _DEPTH_LIMIT:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise LedgerError(f"{source}, line {line}: nested more than {_DEPTH_LIMIT} deep", hint="mend the YAML")


class _YamlValues:
    """Builds plain values from YAML nodes; counts them, so that aliases cannot grow without bound."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._left = _NODE_LIMIT
        self._open: set[int] = set()

    def build(self, node: "Node") -> object:
        self._left -= 1
        if self._left < 0 or id(node) in self._open:
            raise self._error(node, "aliases repeat each other without end")
        from yaml.nodes import MappingNode, ScalarNode

        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if node.tag not in {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}:
            raise self._error(node, "tags are not allowed", node.tag)
        self._open.add(id(node))
        value = self._mapping(node) if isinstance(node, MappingNode) else [self.build(item) for item in node.value]
        self._open.discard(id(node))
        return value

    def _mapping(self, node: "MappingNode") -> dict[str, object]:
        merged: dict[str, object] = {}
        values: dict[str, object] = {}
        for name_node, value_node in node.value:
            if name_node.id != "scalar":
                raise self._error(name_node, "a name must be one word or text")
            name = name_node.value
            if name == "<<" and not name_node.style:
                merged |= self._merge(value_node)
            elif name in values:
                raise self._error(name_node, "the name stands twice", name)
            else:
                values[name] = self.build(value_node)
        return merged | values

    def _merge(self, node: "Node") -> dict[str, object]:
        found = self.build(node)
        merged: dict[str, object] = {}
        for mapping in reversed(found if isinstance(found, list) else [found]):
            if not isinstance(mapping, dict):
                raise self._error(node, "only mappings can be merged with `<<`")
            merged |= mapping
        return merged

    def _scalar(self, node: "ScalarNode") -> object:
        text = str(node.value)
        if node.style:
            return text
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.endswith((":binary", ":set", ":omap")):
            raise self._error(node, "tags are not allowed", node.tag)
        try:
            return plain_scalar(text)
        except ValueError as error:
            raise self._error(node, str(error)) from None

    def _error(self, node: "Node", problem: str, value: str | None = None) -> LedgerError:
        shown = f": `{value}`" if value else ""
        return LedgerError(f"{self._source}, line {node.start_mark.line + 1}: {problem}{shown}", hint="mend the YAML")


def plain_scalar(text: str) -> bool | int | float | str | None:
    """Return what an unquoted YAML 1.2 scalar stands for.

    Raises:
        ValueError: a whole number of more digits than Python reads.
    """
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if sign := _INFINITE.fullmatch(text):
        return float(f"{sign[1]}inf")
    return float("nan") if _NAN.fullmatch(text) else text


def _first_lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")
