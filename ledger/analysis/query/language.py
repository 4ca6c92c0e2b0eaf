"""The query language: `validation/accuracy > 0.9 and (tags = baseline or not status = failed)`.

Owns what a query is and how it is written; `names.py` owns what its names mean. What passes it is asked of an index,
which is not known here. The site reads the same language by `assets/ledger/query/`; `tests/queries.json` holds both.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, get_args

from ledger.analysis.query.fulltext import words_in
from ledger.analysis.query.order_warnings import metric_key
from ledger.errors import UsageError
from ledger.model.values import Document, Status

if TYPE_CHECKING:
    from lark import Lark, Token, Tree


class Condition(Document, frozen=True, kw_only=True):
    """A field in relation to a value."""

    field: str
    """Name of the field, as written; `Names.resolve` replaces it with a field that runs have."""
    operator: str
    """`=`, `!=`, `<`, `<=`, `>`, `>=`, or `~` for contains."""
    value: str
    """The value as written, without quotes."""


class Phrase(Document, frozen=True, kw_only=True):
    """Consecutive words anywhere in what people wrote; the last may be the start of a word."""

    words: tuple[str, ...]
    """The words, in lower case."""


class Every(Document, frozen=True, kw_only=True):
    """A conjunction: all parts hold."""

    parts: tuple["Query", ...]
    """The parts."""


class Some(Document, frozen=True, kw_only=True):
    """A disjunction: at least one part holds."""

    parts: tuple["Query", ...]
    """The parts."""


class Not(Document, frozen=True, kw_only=True):
    """A negation: the part does not hold."""

    part: "Query"
    """The part."""


Query = Condition | Phrase | Every | Some | Not

_GRAMMAR = r"""
start: either
?either: both (_OR both)*
?both: plain (_AND? plain)*
?plain: _NOT plain -> negation
      | "(" either ")"
      | term OPERATOR term -> comparison
      | term -> phrase
term: WORD | QUOTED
_OR.1: /or(?![^\s()'"=!<>~])/i
_AND.1: /and(?![^\s()'"=!<>~])/i
_NOT.1: /not(?![^\s()'"=!<>~])/i
OPERATOR: "!=" | "<=" | ">=" | "=" | "<" | ">" | "~"
WORD: /[^\s()'"=!<>~]+/
QUOTED: /"(\\.|[^"\\])*"/s | /'(\\.|[^'\\])*'/s
%ignore /\s+/
"""
"""The grammar, which the handbook's page on reading shows, too; adjacent parts must all hold."""

_LONGEST = 10_000
"""Most characters of a query."""
_MOST = 200
"""Most conditions, negations and parentheses of a query: SQLite refuses expressions 1000 deep."""
_EXAMPLE = "write FIELD OPERATOR VALUE, such as 'lr < 0.01 and not status = failed'"


def parse_query(text: str) -> Query:
    """Return the query in a text.

    Raises:
        UsageError: it is invalid; the message marks the place with a caret.
    """
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if len(text) > _LONGEST or len(re.findall(r"[=<>~(]|\b(?:not|and|or)\b", text, re.IGNORECASE)) > _MOST:
        raise _too_long(text)
    from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

    try:
        tree = _parser().parse(text)
    except UnexpectedCharacters as error:
        raise _refused(text, error.pos_in_stream or 0, "this cannot stand here; put a text in quotes") from error
    except UnexpectedToken as error:
        at = len(text.rstrip()) if error.token.type == "$END" else error.token.start_pos or 0
        raise _refused(text, at, _expected(error.accepts or error.expected, error.token.type)) from error
    except UnexpectedInput as error:
        raise _refused(text, 0, "this is no query") from error
    query = _Reader(text).read(tree.children[0])
    if _size(query) > _MOST:
        raise _too_long(text)
    return query


def _too_long(text: str) -> UsageError:
    return UsageError(f"the query is too long: `{text[:40]}…`", hint="split it, or ask for less")


def _size(query: Query) -> int:
    match query:
        case Every() | Some():
            return sum(map(_size, query.parts))
        case Not():
            return _size(query.part)
        case _:
            return 1


def about_query(word: str) -> str:
    """Return the query that a word of a command means: the runs of an experiment of that name, or the query it is."""
    is_name = word.replace("-", "").replace("_", "").replace(".", "").isalnum()
    return f"experiment = {word!r}" if is_name else f"({word})"


def parse_queries(texts: Iterable[str]) -> Query | None:
    """Return the conjunction of the queries in texts; none without texts.

    Raises:
        UsageError: one of them is invalid.
    """
    parts = tuple(parse_query(text) for text in texts)
    if len(parts) > 1:
        return Every(parts=parts)
    return parts[0] if parts else None


@cache
def _parser() -> "Lark":
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", maybe_placeholders=False)


_OPERAND = "a field, a value or a word is expected here"
_JOINED = "`and` or `or` is expected here; a text with spaces stands in quotes"


def _expected(terminals: Iterable[str], found: str) -> str:
    expected = set(terminals)
    if "WORD" in expected and "_AND" not in expected:
        return _OPERAND
    if found == "RPAR":
        return "there is no parenthesis to close here"
    return "a parenthesis is not closed" if found == "$END" else _JOINED


def _refused(text: str, at: int, why: str, hint: str | None = None) -> UsageError:
    line = re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text)
    return UsageError(f"not a filter: {why}\n  {line}\n  {' ' * at}^", hint=hint or _EXAMPLE)


class _Reader:
    """Converts the parse tree to a query.

    Args:
        text: the parsed text.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, node: "Tree[Token] | Token") -> Query:
        from lark import Token

        if isinstance(node, Token):
            raise TypeError(f"the grammar leaves no token here: `{node}`")
        if node.data == "negation":
            return Not(part=self.read(node.children[0]))
        if node.data == "comparison":
            return self._comparison(node)
        if node.data == "phrase":
            return self._phrase(_token(node.children[0]))
        if node.data == "either":
            return Some(parts=tuple(map(self.read, node.children)))
        parts: list[Query] = []
        value: Token | None = None
        for child in node.children:
            parts.append(self.read(child))
            if not isinstance(child, Token):
                self._refuse_spaced_text(value, _bare_word(child))
                value = _spaced_value(child)
        return Every(parts=tuple(parts))

    def _refuse_spaced_text(self, value: "Token | None", word: "Token | None") -> None:
        """Refuse `note = hard cases`: spaces around the operator suggest that all words are meant."""
        if value is not None and word is not None and not self._text[value.end_pos : word.start_pos].strip():
            raise _refused(self._text, word.start_pos or 0, _JOINED)

    def _comparison(self, node: "Tree[Token]") -> Condition:
        left, operator, right = node.children
        return Condition(field=_plain(_token(left)), operator=str(operator), value=_plain(_token(right)))

    def _phrase(self, token: "Token") -> Phrase:
        words = tuple(words_in(_plain(token)))
        if not words:
            raise _refused(self._text, token.start_pos or 0, "there is no word to look for here")
        return Phrase(words=words)


def _token(term: "Tree[Token] | Token") -> "Token":
    from lark import Token

    token = term if isinstance(term, Token) else term.children[0]
    if not isinstance(token, Token):
        raise TypeError("a term is one token")
    return token


def _bare_word(part: "Tree[Token]") -> "Token | None":
    """Return the word of a part, where it is a single one without quotes."""
    token = _token(part.children[0]) if part.data == "phrase" else None
    return token if token is not None and token.type == "WORD" else None


def _spaced_value(part: "Tree[Token]") -> "Token | None":
    """Return the bare value of a comparison with spaces around its operator; none of other parts."""
    if part.data != "comparison":
        return None
    _, operator, right = part.children
    value = _token(right)
    return value if value.type == "WORD" and value.start_pos != _token(operator).end_pos else None


def _plain(token: "Token") -> str:
    if token.type != "QUOTED":
        return str(token)
    return re.sub(r"\\(.)", r"\1", str(token)[1:-1], flags=re.DOTALL)


def metrics_named(query: Query) -> list[str]:
    """Return the keys of the metrics that a query compares with numbers."""
    match query:
        case Condition():
            key = metric_key(query.field)
            return [key] if key else []
        case Every() | Some():
            return list(dict.fromkeys(key for part in query.parts for key in metrics_named(part)))
        case Not():
            return metrics_named(query.part)
        case Phrase():
            return []


def statuses_asked(query: Query) -> frozenset[str]:
    """Return the statuses that a query names, as `status=failed` does: runs with these are wanted.

    A status after `!=` or `not` is not wanted.
    """
    match query:
        case Condition(field="status", operator="=" | "~" as operator):
            return frozenset(status for status in get_args(Status) if _is_asked(status, operator, query.value))
        case Every() | Some():
            return frozenset().union(*map(statuses_asked, query.parts))
        case _:
            return frozenset()


def _is_asked(status: str, operator: str, wanted: str) -> bool:
    return wanted.lower() in status if operator == "~" else wanted == status
