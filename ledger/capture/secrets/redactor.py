"""Replacement of secrets in everything that will be committed, because git history cannot be unwritten.

`finder.py` marks spans of bytes, overlapping spans are joined, and each becomes `[redacted: kind]`; the
result is searched again until nothing is found, so that redacting twice changes nothing. Line feeds
always survive, so patches keep their lines.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

from ledger.capture.secrets.finder import find_spans
from ledger.capture.secrets.names import SecretName, secret_name
from ledger.capture.secrets.span import Span
from ledger.capture.secrets.team_rules import NONE, OwnSecrets
from ledger.model.values import ParamValue

_PLACEHOLDER = re.compile(rb"\[redacted: [a-z0-9-]{1,40}\]")
_PASSES = 6
"""Most passes, more than any input needs: each finds only what the one before uncovered."""

_NUMBER = re.compile(rb"[-+]?[0-9][0-9_.,:%eE+\-]*[a-z]{0,2}")
_REFERENCE = re.compile(r"\$\{?[A-Za-z_][\w.:]*\}?|<[^<>]*>|\{\{?[^{}]*\}\}?")

_BINARY = re.compile(rb"^GIT binary patch\r?$", re.MULTILINE)


Scalar: TypeAlias = bool | int | float | str | None


class Redactor:
    """Replaces secrets with `[redacted: kind]` and counts them by kind.

    Args:
        own: the team's own kinds of secrets, and texts that are none.
    """

    def __init__(self, own: OwnSecrets = NONE) -> None:
        self.own = own
        self.counts: dict[str, int] = {}
        """Number of secrets that were replaced, by kind."""

    def text(self, text: str) -> str:
        """Return `text` without its secrets; line feeds stay where they are."""
        data = text.encode("utf-8", "surrogatepass")
        redacted = self._redact(data)
        return text if redacted is data else redacted.decode("utf-8", "surrogatepass")

    def content(self, data: bytes) -> bytes:
        """Return bytes without the secrets in their text; line feeds stay where they are."""
        return self._redact(data)

    def argv(self, argv: list[str]) -> list[str]:
        """Return a command line without its secrets: `--api-key X`, `--password=X` and `TOKEN=X` included."""
        redacted: list[str] = []
        promised: SecretName | None = None
        for argument in argv:
            # What begins with `--` is the next option; five hyphens begin a key in PEM.
            if promised and (not argument.startswith("--") or argument.startswith("-----")):
                redacted.append(self._value(argument, promised))
                promised = None
                continue
            name, equals, value = argument.partition("=")
            found = self._promise(name) if re.fullmatch(r"[+~-]{0,2}[\w.@/-]+", name) else None
            promised = found if found and not equals and name.startswith("-") else None
            if found and equals:
                redacted.append(f"{name}={self._value(value, found)}")
            else:
                redacted.append(self.text(argument))
        return redacted

    def params(self, values: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
        """Return params without secrets in their values, under names of secrets, or in the names."""
        redacted: dict[str, ParamValue] = {}
        for name, value in values.items():
            found = self._promise(name)
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
            self._take("url-credentials", user)
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

    def _promise(self, name: str) -> SecretName | None:
        if self.own.names and any(own.lower() in name.lower() for own in self.own.names):
            return SecretName("own-secret", "strong")
        return secret_name(name)

    def _take(self, kind: str, secret: str | float | bytes) -> None:  # noqa: ARG002  # subclasses use it
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def _param(self, value: Scalar, found: SecretName | None) -> Scalar:
        if isinstance(value, str):
            return self._value(value, found) if found else self.text(value)
        if found and found.strength == "strong" and isinstance(value, int | float) and not isinstance(value, bool):
            self._take(found.kind, value)
            return f"[redacted: {found.kind}]"
        return value

    def _value(self, value: str, found: SecretName) -> str:
        """Replace the whole value under a name of a secret."""
        if not value.strip() or _REFERENCE.fullmatch(value) or _PLACEHOLDER.fullmatch(value.encode("utf-8", "replace")):
            return value
        if found.strength == "weak" and (_NUMBER.fullmatch(value.encode("utf-8", "replace")) or value in _HARMLESS):
            return value
        self._take(found.kind, value)
        return f"[redacted: {found.kind}]"

    def _query(self, query: str) -> str:
        fields = query.split("&")
        for position, field in enumerate(fields):
            name, equals, value = field.partition("=")
            found = self._promise(name)
            if equals and found:
                fields[position] = f"{name}={self._value(value, found)}"
        return "&".join(fields)

    def _redact(self, data: bytes) -> bytes:
        for _ in range(_PASSES):
            spans = _spans(data, self.own)
            if not spans:
                return data
            pieces: list[bytes] = []
            position = 0
            for span in spans:
                self._take(span.kind, data[span.start : span.end])
                pieces += (data[position : span.start], _replacement(data[span.start : span.end], span.kind))
                position = span.end
            data = b"".join([*pieces, data[position:]])
        return data


def find_secrets(data: bytes, own: OwnSecrets = NONE) -> dict[str, int]:
    """Return the kinds of secrets in bytes, with the number of each; placeholders do not count."""
    counts: dict[str, int] = {}
    for span in _spans(data, own):
        counts[span.kind] = counts.get(span.kind, 0) + 1
    return counts


_HARMLESS = frozenset({"none", "None", "null", "true", "false", "True", "False", "basic", "bearer", "auto"})


def _replacement(secret: bytes, kind: str) -> bytes:
    """Return the placeholder; for a key block one on each line, after the sign of a patch."""
    placeholder = f"[redacted: {kind}]".encode()
    first, *more = secret.split(b"\n")
    lines = [placeholder + (b"\r" if first.endswith(b"\r") else b"")]
    for line in more:
        lead = line[: len(line) - len(line.lstrip(b" \t"))] or (line[:1] if line[:1] in {b"+", b"-"} else b"")
        lines.append(lead + placeholder + (b"\r" if line.endswith(b"\r") else b""))
    return b"\n".join(lines)


def _spans(data: bytes, own: OwnSecrets) -> list[Span]:
    """Return the spans to replace, in order, overlaps joined, without the placeholders of an earlier pass."""
    found = find_spans(data, own)
    if not found:
        return []
    found.sort(key=lambda span: (span.start, -span.end))
    joined: list[Span] = []
    for span in found:
        if joined and span.start < joined[-1].end:
            last = joined[-1]
            joined[-1] = Span(last.start, max(last.end, span.end), last.kind)
        else:
            joined.append(span)
    done = [match.span() for match in _PLACEHOLDER.finditer(data)]
    return _outside_of(joined, done) if done else joined


def _outside_of(spans: list[Span], done: list[tuple[int, int]]) -> list[Span]:
    """Return the spans that touch none of `done`; both are in order."""
    kept: list[Span] = []
    position = 0
    for span in spans:
        while position < len(done) and done[position][1] <= span.start:
            position += 1
        if position == len(done) or done[position][0] >= span.end:
            kept.append(span)
    return kept
