"""Reading of YAML, JSON and TOML files into plain values, with errors that name the line.

YAML is read by `ledger.formats.yaml_file`. A number that no float can hold remains text.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ledger.errors import LedgerError, NotFound
from ledger.formats.encoding import decode
from ledger.formats.yaml_file import load_yaml

SIZE_LIMIT = 5_000_000
"""Largest file in bytes; files of inputs or results for people are far smaller."""
_SUFFIXES = {".yaml": "YAML", ".yml": "YAML", ".json": "JSON", ".toml": "TOML"}


def read_bytes(path: Path, what: str, *, limit: int, advice: str | None = None) -> bytes:
    """Return the bytes of a file that the user named, at most `limit` of them.

    Args:
        path: path of the file.
        what: what the file should be, for messages: `params`.
        limit: largest size in bytes.
        advice: what to do about a larger file.

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
    """Return the mapping in a YAML, JSON or TOML file, by its suffix; an empty YAML file is an empty mapping.

    Args:
        path: path of the file.
        what: what the file should be, for messages: `params`.
        advice: what to do about a file over 5 MB.

    Raises:
        NotFound: there is no such file.
        LedgerError: it cannot be read, is malformed (with the line), or holds no mapping.
    """
    kind = _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise LedgerError(f"{_what_it_is(path, what)}: `{path}`", hint=_otherwise(path, what))
    data = read_bytes(path, what, limit=SIZE_LIMIT, advice=advice)
    try:
        text = decode(data)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise LedgerError(f"{path}, line {line}: not UTF-8", hint="save the file as UTF-8") from None
    load: Callable[[str, str], object] = {"YAML": load_yaml, "JSON": _load_json, "TOML": _load_toml}[kind]
    try:
        values = load(text, str(path))
    except RecursionError:
        raise LedgerError(f"nested too deeply: `{path}`") from None
    if not isinstance(values, Mapping):
        raise LedgerError(
            f"{path}, line 1: names and values expected, not {type_name(values)}", hint=f"write `name: value` ({kind})"
        )
    return {str(name): value for name, value in values.items()}


def _what_it_is(path: Path, what: str) -> str:
    if "tfevents" in path.name:
        return f"this is a TensorBoard event file, not a {what} file"
    if path.suffix.lower() in {".py", ".ipynb", ".sh"}:
        return f"this is a program, which is never run, not a {what} file"
    return f"a {what} file ends in .yaml, .json or .toml"


def _otherwise(path: Path, what: str) -> str:
    if "tfevents" in path.name:
        return "export its scalars as CSV, and give that with --curves"
    if path.suffix.lower() in {".py", ".ipynb", ".sh"}:
        return f"write the values to {what}.yaml, or give them one by one with {'-p' if what == 'params' else '-m'}"
    if path.suffix.lower() in {".csv", ".tsv", ".jsonl", ".ndjson"}:
        return f"values over time are given with --curves; else write {what}.json"
    return f"rename it, such as {what}.yaml"


def load_json_value(text: str) -> object:
    """Return the value in a JSON text; a number that overflows stays text, as it may be an id.

    Raises:
        ValueError: it is not JSON.
    """
    return json.loads(text, parse_float=_float_or_text)


def _float_or_text(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def type_name(value: object) -> str:
    """Return the name of a plain value's type, for people."""
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
        return tomllib.loads(text, parse_float=_toml_float)
    except ValueError as error:
        place = re.search(r" \(at (line \d+), column \d+\)\Z", str(error))
        message = str(error)[: place.start()] if place else str(error)
        where = f", {place[1]}" if place else ""
        raise LedgerError(f"{source}{where}: {_first_lower(message)}", hint="mend the TOML") from None


def _toml_float(text: str) -> float | str:
    return float(text) if text.lstrip("+-") in {"inf", "nan"} else _float_or_text(text)


class _Repeated(Exception):  # no error for callers: it only carries the name out of the parser
    pass


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        raise _Repeated(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]  # `add` marks it as seen
    return values


def _load_json(text: str, source: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_float=_float_or_text)
    except _Repeated as repeated:
        name = str(repeated)
        places = [match.start() for match in re.finditer(re.escape(json.dumps(name)) + r"\s{0,99}:", text)]
        line = text.count("\n", 0, places[-1]) + 1 if places else 1
        raise LedgerError(f"{source}, line {line}: the name appears twice: `{name}`", hint="remove one") from None
    except json.JSONDecodeError as error:
        raise LedgerError(f"{source}, line {error.lineno}: {_first_lower(error.msg)}", hint="mend the JSON") from None
    except ValueError as error:
        raise LedgerError(f"{source}: {_first_lower(str(error))}", hint="mend the JSON") from None


def _first_lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")
