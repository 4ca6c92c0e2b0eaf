"""Small faults that somebody could make: an operator, a constant, a returned value, a condition, a missing line.

Texts for people are left alone, and so are annotations, decorators and docstrings: nothing decides by them.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple


class Mutant(NamedTuple):
    """One fault in one file."""

    file: str
    """The file, from the root of the checkout."""
    line: int
    """Its first line in the unchanged file, from 1."""
    last: int
    """Its last line."""
    function: int
    """The first line of the function that it is in, its decorators included; 0 outside of any."""
    kind: str
    """What was changed, in a word."""
    start: int
    """Where the replaced bytes begin."""
    end: int
    """Where they end."""
    text: str
    """What stands there instead."""

    def applied(self, source: bytes) -> bytes:
        """Return the file with the fault in it."""
        return source[: self.start] + self.text.encode() + source[self.end :]


_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_Change = tuple[str, str]
"""Kind and new text."""


def mutants_of(file: str, root: Path) -> list[Mutant]:
    """Return every fault that can be put into a file, in its order."""
    source = (root / file).read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: list[Mutant] = []
    for function, node in _deciding(ast.parse(source), 0):
        start = starts[node.lineno - 1] + node.col_offset
        last = node.end_lineno or node.lineno
        end = starts[last - 1] + (node.end_col_offset or 0)
        found += [Mutant(file, node.lineno, last, function, kind, start, end, text) for kind, text in _changes(node)]
    return [one for one in dict.fromkeys(found) if _is_code(one.applied(source))]


def _is_code(source: bytes) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _deciding(node: ast.AST, function: int) -> Iterator[tuple[int, ast.expr | ast.stmt]]:
    """Yield what may decide something below a node: the first line of its function, and the statement or expression."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = min(part.lineno for part in (node, *node.decorator_list))
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_comment"}:
            continue
        if isinstance(node, ast.ClassDef) and name in {"keywords", "bases"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr):
                continue  # what an f-string holds has no position of its own before Python 3.12
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield function, child
            yield from _deciding(child, function)


def _changes(node: ast.expr | ast.stmt) -> Iterator[_Change]:
    for applies, change in _KINDS:
        if isinstance(node, applies):
            yield from change(node)


def _altered(node: ast.expr, alter: Callable[[ast.expr], object]) -> str:
    changed = copy.deepcopy(node)
    alter(changed)
    return f"({ast.unparse(changed)})"


def _compare(node: ast.Compare) -> Iterator[_Change]:
    for number, operator in enumerate(node.ops):
        for other in _COMPARED[type(operator)]:

            def alter(changed: ast.expr, place: int = number, to: type[ast.cmpop] = other) -> None:
                if isinstance(changed, ast.Compare):
                    changed.ops[place] = to()

            yield "comparison", _altered(node, alter)


def _boolean(node: ast.BoolOp) -> Iterator[_Change]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield "boolean", f"({ast.unparse(ast.BoolOp(other, node.values))})"
    for number in range(len(node.values)):
        rest = [value for place, value in enumerate(node.values) if place != number]
        yield "boolean", f"({ast.unparse(rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest))})"


def _not(node: ast.UnaryOp) -> Iterator[_Change]:
    if isinstance(node.op, ast.Not):
        yield "boolean", f"({ast.unparse(node.operand)})"


def _calculation(node: ast.BinOp) -> Iterator[_Change]:
    other = _CALCULATED.get(type(node.op))
    if other is not None:
        yield "calculation", f"({ast.unparse(ast.BinOp(node.left, other(), node.right))})"


def _constant(node: ast.Constant) -> Iterator[_Change]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", str(not value)
    elif isinstance(value, int | float):
        yield "off by one", repr(value + 1)
        yield "off by one", f"({value - 1!r})"
    elif isinstance(value, str | bytes) and " " not in str(value):  # with a space it is said to people
        yield "constant", repr(value[:0] if value else "x" if isinstance(value, str) else b"x")


def _return(node: ast.Return) -> Iterator[_Change]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield "returned value", "return None"


def _condition(node: ast.If | ast.While | ast.IfExp) -> Iterator[_Change]:
    if isinstance(node, ast.IfExp):
        yield "condition", f"({ast.unparse(ast.IfExp(node.test, node.orelse, node.body))})"


def _removed(node: ast.stmt) -> Iterator[_Change]:
    if isinstance(node, ast.Raise) and "AssertionError" in ast.unparse(node):
        return
    yield "removed statement", "pass"


def _call(node: ast.Call) -> Iterator[_Change]:
    if len(node.args) > 1 and not any(isinstance(one, ast.Starred) for one in node.args[:2]):
        first, second, *rest = node.args
        if ast.unparse(first) != ast.unparse(second):
            yield "swapped arguments", f"({ast.unparse(ast.Call(node.func, [second, first, *rest], node.keywords))})"


def _filter(node: ast.ListComp | ast.SetComp | ast.DictComp) -> Iterator[_Change]:
    for number, part in enumerate(node.generators):
        for place in range(len(part.ifs)):

            def alter(changed: ast.expr, number: int = number, place: int = place) -> None:
                if isinstance(changed, ast.ListComp | ast.SetComp | ast.DictComp):
                    del changed.generators[number].ifs[place]

            yield "filter", _altered(node, alter)[1:-1]


_KINDS: tuple[tuple[type | tuple[type, ...], Callable[..., Iterator[_Change]]], ...] = (
    (ast.Compare, _compare),
    (ast.BoolOp, _boolean),
    (ast.UnaryOp, _not),
    (ast.BinOp, _calculation),
    (ast.Constant, _constant),
    (ast.Return, _return),
    (ast.IfExp, _condition),
    ((ast.Raise, ast.Continue, ast.Break, ast.AugAssign, ast.Expr, ast.Delete), _removed),
    (ast.Call, _call),
    ((ast.ListComp, ast.SetComp, ast.DictComp), _filter),
)
