"""Takes secrets out of everything that will be committed, because git history cannot be unwritten.

A secret is found by its looks (`secret_shapes`), by the name it stands under (`secret_names`) or as a
private key block. All finders mark spans of the same bytes, overlapping spans are joined, and each
becomes `[redacted: kind]`; the outcome is searched again until nothing is found, which is what makes
redacting twice change nothing. Line feeds always survive, so patches keep their lines.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from ledger.capture.private_keys import find_private_keys
from ledger.capture.secret_names import SecretName, secret_name
from ledger.capture.secret_shapes import SHAPES
from ledger.model.values import ParamValue

_PLACEHOLDER = re.compile(rb"\[redacted: [a-z-]{1,40}\]")
_PASSES = 6
"""More than any input needs: each pass only meets what the one before laid bare."""

_CORES = (
    b"passw passphrase passcode secret token apikey api_key api-key accesskey access_key access-key privatekey "
    b"private_key private-key credential auth signing_key encryption_key account_key storage_key _pwd _pass"
).split()
"""A part of every name that `secret_name` knows, in lower case: where to look at all."""
_NAME_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_NAME_LENGTH = 60
_NAME_AFTER = re.compile(rb"([A-Za-z0-9_.\-]{0,40})\\{0,3}[\"']?\]?[ \t]{0,4}(?:=>|:=|=(?!=)|:)[ \t]{0,8}")
_VALUE = re.compile(
    rb"[bru]{0,2}(?:\\(?P<q>[\"'])(?P<escaped>[^\"'\\\r\n]{1,4096})"
    rb"|\"(?P<double>(?:[^\"\\\r\n]|\\.){1,4096})\"|'(?P<single>(?:[^'\\\r\n]|\\.){1,4096})')"
    rb"|(?P<bare>[^\s\"'`,;&|<>(){}\[\]\\]{1,4096})(?P<after>[(\[{]?)"
)
_NOT_A_VALUE = re.compile(
    rb"(?i)\$.*|\{.*|<.*>|%[({a-z].*|\*+|x{3,}|\.\.\.|none|null|nil|true|false|yes|no|undefined|unknown|optional|empty"
    rb"|str|int|float|bool|bytes|any|object|string|self|n/a|changeme|redacted|hidden|\[redacted.*"
)
_CODE = re.compile(rb"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+[.:]?|[A-Z][a-z]+(?:[A-Z][a-z]*)+[.:]?")
"""An attribute or a class: what stands right of `=` and `:` in code, not in configuration."""
_WORD = re.compile(rb"[A-Za-z_\-.]+")
_NUMBER = re.compile(rb"[-+]?[0-9][0-9_.,:%eE+\-]*[a-z]{0,2}")
_DIGIT = re.compile(rb"[0-9]")
_CAPITAL = re.compile(rb"[A-Z]")
_RANDOM_LENGTH = 8
_LONG_NUMBER = 12
"""Digits from which a number under a strong name is more likely a key than a setting."""
_REFERENCE = re.compile(r"\$\{?[A-Za-z_][\w.:]*\}?|<[^<>]*>|\{\{?[^{}]*\}\}?")

_BINARY = re.compile(rb"^GIT binary patch\r?$", re.MULTILINE)


Scalar: TypeAlias = bool | int | float | str | None


class _Span(NamedTuple):
    start: int
    end: int
    kind: str


class Redactor:
    """Replaces secrets by `[redacted: kind]` and counts them by kind."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        """Kind of secret to how many were replaced."""

    def text(self, text: str) -> str:
        """Return `text` without its secrets; line feeds stay where they are."""
        data = text.encode("utf-8", "surrogatepass")
        redacted = self._redact(data)
        return text if redacted is data else redacted.decode("utf-8", "surrogatepass")

    def argv(self, argv: list[str]) -> list[str]:
        """Return a command line without its secrets: `--api-key X`, `--password=X` and `TOKEN=X` included."""
        redacted: list[str] = []
        promised: SecretName | None = None
        for argument in argv:
            # What begins with `--` is the next option; with five of them, as keys in PEM do, it is none.
            if promised and (not argument.startswith("--") or argument.startswith("-----")):
                redacted.append(self._value(argument, promised))
                promised = None
                continue
            name, equals, value = argument.partition("=")
            found = secret_name(name) if re.fullmatch(r"[+~-]{0,2}[\w.@/-]+", name) else None
            promised = found if found and not equals and name.startswith("-") else None
            if found and equals:
                redacted.append(f"{name}={self._value(value, found)}")
            else:
                redacted.append(self.text(argument))
        return redacted

    def params(self, values: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
        """Return params without secrets, be it in their values, under secret-looking names, or in the names."""
        redacted: dict[str, ParamValue] = {}
        for name, value in values.items():
            found = secret_name(name)
            if isinstance(value, list):
                redacted[self.text(name)] = [self._param(item, found) for item in value]
            else:
                redacted[self.text(name)] = self._param(value, found)
        return redacted

    def url(self, url: str) -> str:
        """Return `url` without user and password, and without the secret values of its query."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return self.text(url)
        if not parts.scheme or not parts.netloc:
            return self.text(re.sub(r"\A([^/@:\s]+):[^/@\s]+@", r"\1@", url))
        user, at, host = parts.netloc.rpartition("@")
        if at and (":" in user or not parts.scheme.endswith("ssh")):
            self._count("url-credentials")
        return self.text(urlunsplit(parts._replace(netloc=host, query=self._query(parts.query))))

    def patch(self, patch: bytes) -> bytes:
        """Return a git patch without its secrets; binary sections and every other line stay as they are."""
        pieces: list[bytes] = []
        position = 0
        for match in _BINARY.finditer(patch):
            if match.start() < position:
                continue
            pieces.append(self._redact(patch[position : match.start()]))
            section_end = patch.find(b"\ndiff --git ", match.end())
            position = len(patch) if section_end < 0 else section_end + 1
            pieces.append(patch[match.start() : position])
        pieces.append(self._redact(patch[position:]))
        return b"".join(pieces)

    def _count(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def _param(self, value: Scalar, found: SecretName | None) -> Scalar:
        if isinstance(value, str):
            return self._value(value, found) if found else self.text(value)
        if found and found.strength == "strong" and isinstance(value, int | float) and not isinstance(value, bool):
            self._count(found.kind)
            return f"[redacted: {found.kind}]"
        return value

    def _value(self, value: str, found: SecretName) -> str:
        """Replace the whole of a value that stands under a secret-looking name."""
        if not value.strip() or _REFERENCE.fullmatch(value) or _PLACEHOLDER.fullmatch(value.encode("utf-8", "replace")):
            return value
        if found.strength == "weak" and (_NUMBER.fullmatch(value.encode("utf-8", "replace")) or value in _HARMLESS):
            return value
        self._count(found.kind)
        return f"[redacted: {found.kind}]"

    def _query(self, query: str) -> str:
        fields = query.split("&")
        for position, field in enumerate(fields):
            name, equals, value = field.partition("=")
            found = secret_name(name)
            if equals and found:
                fields[position] = f"{name}={self._value(value, found)}"
        return "&".join(fields)

    def _redact(self, data: bytes) -> bytes:
        for _ in range(_PASSES):
            spans = _spans(data)
            if not spans:
                return data
            pieces: list[bytes] = []
            position = 0
            for span in spans:
                self._count(span.kind)
                pieces += (data[position : span.start], _replacement(data[span.start : span.end], span.kind))
                position = span.end
            data = b"".join([*pieces, data[position:]])
        return data


def find_secrets(data: bytes) -> dict[str, int]:
    """Return the kinds of secrets that bytes hold, and how many of each; placeholders are none."""
    counts: dict[str, int] = {}
    for span in _spans(data):
        counts[span.kind] = counts.get(span.kind, 0) + 1
    return counts


_HARMLESS = frozenset({"none", "None", "null", "true", "false", "True", "False", "basic", "bearer", "auto"})


def _replacement(secret: bytes, kind: str) -> bytes:
    """Return the placeholder, once for every line of a key block, behind what a patch puts before each."""
    placeholder = f"[redacted: {kind}]".encode()
    first, *more = secret.split(b"\n")
    lines = [placeholder + (b"\r" if first.endswith(b"\r") else b"")]
    for line in more:
        lead = line[: len(line) - len(line.lstrip(b" \t"))] or (line[:1] if line[:1] in {b"+", b"-"} else b"")
        lines.append(lead + placeholder + (b"\r" if line.endswith(b"\r") else b""))
    return b"\n".join(lines)


def _spans(data: bytes) -> list[_Span]:
    """Return what must go, in order, overlaps joined, placeholders of an earlier pass left alone."""
    keys = (_Span(start, end, "private-key") for start, end in find_private_keys(data))
    found = [*_by_shape(data), *_by_name(data), *keys]
    if not found:
        return []
    found.sort(key=lambda span: (span.start, -span.end))
    joined: list[_Span] = []
    for span in found:
        if joined and span.start < joined[-1].end:
            last = joined[-1]
            joined[-1] = _Span(last.start, max(last.end, span.end), last.kind)
        else:
            joined.append(span)
    done = [match.span() for match in _PLACEHOLDER.finditer(data)]
    return _apart(joined, done) if done else joined


def _apart(spans: list[_Span], done: list[tuple[int, int]]) -> list[_Span]:
    """Return the spans that touch none of `done`; both are in order."""
    kept: list[_Span] = []
    position = 0
    for span in spans:
        while position < len(done) and done[position][1] <= span.start:
            position += 1
        if position == len(done) or done[position][0] >= span.end:
            kept.append(span)
    return kept


def _by_shape(data: bytes) -> Iterator[_Span]:
    lower = data.lower()
    for shape in SHAPES:
        if not any(literal in (lower if shape.folded else data) for literal in shape.literals):
            continue
        group = "secret" if "secret" in shape.pattern.groupindex else 0
        for match in shape.pattern.finditer(data):
            if not shape.mixed or _is_mixed(match[group]):
                yield _Span(*match.span(group), shape.kind)


def _is_mixed(secret: bytes) -> bool:
    return bool(_DIGIT.search(secret) and _CAPITAL.search(secret))


def _looks_random(value: bytes) -> bool:
    """Say whether a value under a weak name is more than a word: `auth: basic`, `token: the`."""
    return len(value) >= _RANDOM_LENGTH and bool(_DIGIT.search(value))


def _by_name(data: bytes) -> Iterator[_Span]:
    """Find `KEY=value`, `key: value` and `"key": "value"` under secret-looking names.

    The name is judged before its value is read, and the search goes on behind the value, so that no
    byte is read more than once for each of the few words a name can hold.
    """
    lower = data.lower()
    for core in _CORES:
        position = lower.find(core)
        while position >= 0:
            resume = position + len(core)
            if after := _NAME_AFTER.match(data, resume):
                window = data[max(0, position - _NAME_LENGTH) : position]
                start = position - len(window) + len(window.rstrip(_NAME_BYTES))
                name = data[start : after.end(1)].decode("ascii")
                found = secret_name(name)
                value = _VALUE.match(data, after.end()) if found else None
                if found and value:
                    resume = value.end()
                    group = value.lastgroup if value["bare"] is None else "bare"
                    if _is_secret(data, start, name, found, value):
                        yield _Span(*value.span(group or 0), found.kind)
            position = lower.find(core, resume)


def _is_secret(data: bytes, start: int, name: str, found: SecretName, match: re.Match[bytes]) -> bool:
    value = match["bare"]
    if value is not None:
        code = bool(match["after"]) or bool(_NOT_A_VALUE.fullmatch(value))
        return not code and _is_bare_secret(data, start, name, found, value)
    value = match["escaped"] or match["double"] or match["single"]
    weak = found.strength == "weak" and not _looks_random(value)
    return not weak and not _NOT_A_VALUE.fullmatch(value)


def _is_bare_secret(data: bytes, start: int, name: str, found: SecretName, value: bytes) -> bool:
    """Tell a secret without quotes from code: `PASSWORD=swordfish` from `password=args.password`."""
    shell = name.isupper() or name.startswith("-") or data[max(0, start - 1) : start] in {b"?", b"&"}
    if found.strength == "weak":
        return _looks_random(value) and not _NUMBER.fullmatch(value)
    if _CODE.fullmatch(value) and not (shell and b"." not in value):
        return False
    if _NUMBER.fullmatch(value):
        return found.kind == "password" or len(value) >= _LONG_NUMBER
    if _WORD.fullmatch(value) and not shell:
        return secret_name(value.decode("ascii").strip(".-")) is None and found.kind != "token"
    return True
