"""YAML as people and trainers write it, as plain values; nothing is constructed.

It follows the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema) with one rule of our own: a
text is a number only if `ledger.formats.numbers` says so, so that `61e9540` and `0012` stay what they are. `no` and
dates are text. Tags of Python, as Lightning's `hparams.yaml` has them, are read for what they hold: a tuple is a
list, an object its values, a path or a name a text, any other call a text such as `os.system(x)`. More than one
document and alias bombs are refused.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ledger.errors import LedgerError
from ledger.formats.numbers import exact_number

if TYPE_CHECKING:
    from yaml.events import Event
    from yaml.nodes import MappingNode, Node, ScalarNode

_NODE_LIMIT = 1_000_000
"""Values a YAML file may stand for with its aliases followed; without aliases 5 MB cannot hold more."""
_DEPTH_LIMIT = 100
_STANDARD = "tag:yaml.org,2002:"
_PYTHON = f"{_STANDARD}python/"
_CALLS = ("object/apply:", "object/new:", "object:")
_PLAIN = {"none", "bool", "int", "long", "float", "complex"}
"""Tags of Python whose text says the value; `str`, `unicode` and `bytes` are texts."""
_PATHS = re.compile(r"pathlib\d?\.(?:_local\.)?(?:Pure)?(?:Posix|Windows)?Path")
_NUMPY = {"f8": "d", "f4": "f", "f2": "e", "i8": "q", "i4": "i", "i2": "h", "u8": "Q", "u4": "I", "b1": "?"}
"""Types of numpy to their letters in `struct`."""
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_NAN = re.compile(r"\.(?:nan|NaN|NAN)")


def load_yaml(text: str, source: str) -> object:
    """Return what a YAML document says; an empty one says nothing: an empty mapping.

    Args:
        text: the document.
        source: where it came from, for messages.

    Raises:
        LedgerError: it is malformed, with its line.
    """
    import yaml

    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise LedgerError(f"{source}: it holds half of a surrogate pair", hint="mend the YAML")
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
    depth = -2  # the stream and the document open first
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
            raise self._error(node, "its aliases form an endless loop")
        from yaml.nodes import MappingNode, ScalarNode

        if isinstance(node, ScalarNode):
            return self._scalar(node)
        self._open.add(id(node))
        value = self._mapping(node) if isinstance(node, MappingNode) else [self.build(item) for item in node.value]
        self._open.discard(id(node))
        if node.tag in {f"{_STANDARD}map", f"{_STANDARD}seq"}:
            return value
        return _content_of(node.tag, value)

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
                raise self._error(name_node, "the name appears twice", name)
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
        if node.tag.startswith(_PYTHON):
            return _python_scalar(node.tag.removeprefix(_PYTHON), text)
        if not node.tag.startswith(_STANDARD):
            return f"{node.tag} {text}".strip()
        return text if node.style or node.tag.endswith(":binary") else plain_scalar(text)

    def _error(self, node: "Node", problem: str, value: str | None = None) -> LedgerError:
        shown = f": `{value}`" if value else ""
        return LedgerError(f"{self._source}, line {node.start_mark.line + 1}: {problem}{shown}", hint="mend the YAML")


def _content_of(tag: str, value: object) -> object:
    """Return what a tagged list or mapping holds: a call as a text, an object as its values."""
    name = tag.removeprefix(_PYTHON)
    called = next((name.removeprefix(how) for how in _CALLS if name.startswith(how)), None)
    if called is None:
        return list(value) if tag == f"{_STANDARD}set" and isinstance(value, dict) else value
    if isinstance(value, dict):
        inner = [value[key] for key in ("dictitems", "state") if isinstance(value.get(key), dict)]
        if inner or not value.keys() & {"args", "kwds", "state", "listitems", "dictitems"}:
            return inner[0] if inner else value  # an object, and its attributes
        value = value.get("args", value.get("listitems", value.get("state", [])))
    return _called(called, value if isinstance(value, list) else [value])


def _called(called: str, arguments: list[object]) -> object:
    """Return what a call with these arguments is: a text that says it, but for a few whose value is certain."""
    if called.endswith("multiarray.scalar") and (scalar := _numpy_scalar(arguments)) is not None:
        return scalar
    if _PATHS.fullmatch(called):
        return "/".join(str(part) for part in arguments).replace("//", "/")
    if called.endswith("OrderedDict") and (pairs := _pairs(arguments)) is not None:
        return pairs
    return f"{called}({', '.join(str(part) for part in arguments)})"


def _pairs(arguments: list[object]) -> dict[str, object] | None:
    items = arguments[0] if len(arguments) == 1 else arguments
    if not isinstance(items, list) or not all(isinstance(item, list) and len(item) == 2 for item in items):  # noqa: PLR2004  # a pair
        return None
    return {str(name): value for name, value in items}


def _numpy_scalar(arguments: list[object]) -> float | None:
    """Return the number of a scalar of numpy: its type, and its bytes in base 64."""
    import base64
    import struct

    kind = re.search("|".join(_NUMPY), str(arguments[0])) if arguments else None
    try:
        data = base64.b64decode(str(arguments[1]))
        return None if kind is None else float(struct.unpack(f"<{_NUMPY[kind[0]]}", data)[0])
    except (IndexError, struct.error, ValueError):  # `binascii.Error` is one, and so is what is not ASCII
        return None


def _python_scalar(name: str, text: str) -> object:
    kind, _, called = name.partition(":")
    if kind in {"name", "module"}:
        return called
    if kind in _PLAIN:
        return plain_scalar(text)
    return f"{called}({text})" if called else text


def plain_scalar(text: str) -> bool | int | float | str | None:
    """Return what an unquoted scalar stands for."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if (value := exact_number(text)) is not None:
        return value
    if sign := _INFINITE.fullmatch(text):
        return float(f"{sign[1]}inf")
    return float("nan") if _NAN.fullmatch(text) else text


def _first_lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")
