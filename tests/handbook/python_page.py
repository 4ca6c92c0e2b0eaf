"""The reference page of the Python API: the public names of `ledger`, from their docstrings and signatures."""

import inspect
import re
from collections.abc import Iterator

import ledger
from ledger import errors
from ledger.analysis.comparing.compare import Comparison
from ledger.analysis.comparing.leaderboard import SettingBoard
from ledger.api.advise import AdviceReport
from ledger.api.judge import JudgedRun
from ledger.api.ledger import Experiment, Runs
from ledger.model.schema import class_docs
from ledger.model.values import Document
from ledger.recorder import Recorded
from ledger.serve.batches import Batches
from tests.handbook.markdown import block, code, definitions, page, text

RETURNED = (Recorded, Batches, Runs, Experiment, SettingBoard, Comparison, JudgedRun, AdviceReport)
"""What methods return and neither `ledger` nor the glossary names."""

_SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Example|Examples):$", re.MULTILINE)
_ITEM = re.compile(r"^ {4}(\S[^:]*):\s", re.MULTILINE)
_MODULE = re.compile(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z])")
"""Where a type of an annotation comes from; `np.ndarray` and its like lose it too."""
_WIDTH = 88


def render_python() -> str:
    parts: list[str] = []
    for name in sorted((name for name in ledger.__all__ if not name.startswith("_")), key=_order):
        value = getattr(ledger, name)
        parts += _class(value, f"ledger.{name}") if inspect.isclass(value) else _callable(value, f"ledger.{name}", 2)
        if value is errors.LedgerError:
            parts.append(definitions(_errors()))
    parts.append("## What methods return")
    parts.append(
        "Documents of the ledger, such as a record or a dataset version, stand in the [glossary](../glossary.md)."
    )
    for kind in RETURNED:
        parts += _class(kind, kind.__name__, depth=3)
    return page(
        "Every public name of the Python package, with its arguments and what it raises",
        "Python",
        "`import ledger` loads no library: each name is loaded when it is first used. [Recording](../recording.md)"
        " shows how they go together.",
        parts,
    )


def _order(name: str) -> tuple[int, str]:
    """Functions as one meets them, then classes."""
    met = ("run", "Run", "evaluate", "cached", "Ledger", "Dataset", "LedgerError")
    return (met.index(name) if name in met else len(met), name)


def _errors() -> Iterator[tuple[str, str]]:
    for kind in vars(errors).values():
        if inspect.isclass(kind) and issubclass(kind, errors.LedgerError) and kind is not errors.LedgerError:
            yield code(f"ledger.errors.{kind.__name__}"), text(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0])


def _class(kind: type, name: str, depth: int = 2) -> Iterator[str]:
    yield f"{'#' * depth} {name}"
    yield from _docstring(kind, without=("Args",))
    if issubclass(kind, Document):
        yield definitions(
            (code(field), text(said)) for field, said in class_docs(kind).items() if not field.startswith("_")
        )
    for member, value in _members(kind):
        if isinstance(value, property):
            yield f"{'#' * (depth + 1)} {kind.__name__}.{member}"
            yield text(inspect.cleandoc(value.__doc__ or ""))
        else:
            yield from _callable(value, f"{kind.__name__}.{member}", depth + 1)


def _members(kind: type) -> Iterator[tuple[str, object]]:
    """Yield public methods and properties of a class and of what it is made of in this package, in their order."""
    seen = set()
    for base in kind.__mro__:
        if not base.__module__.startswith("ledger.") or base is Document:
            continue
        for name, value in vars(base).items():
            found = getattr(kind, name) if isinstance(value, classmethod | staticmethod) else value
            if name.startswith("_") or name in seen or not (inspect.isroutine(found) or isinstance(found, property)):
                continue
            seen.add(name)
            yield name, found


def _callable(value: object, name: str, depth: int) -> Iterator[str]:
    assert callable(value)
    yield f"{'#' * depth} {name}"
    yield block("python", _signature(inspect.signature(value), name))
    yield from _docstring(value)


def _signature(signature: inspect.Signature, name: str) -> str:
    kept = [one for one in signature.parameters.values() if one.name not in {"self", "cls"}]
    kept = [one.replace(annotation=_annotation(one.annotation)) for one in kept]
    shown = signature.replace(parameters=kept, return_annotation=_annotation(signature.return_annotation))
    whole = f"{name}{shown}"
    if len(whole) <= _WIDTH:
        return whole
    lines = re.split(r", (?=\*|/|\w+: )", whole[len(name) + 1 : whole.rindex(")")])
    return "\n".join([f"{name}(", *(f"    {line}," for line in lines), whole[whole.rindex(")") :]])


class _Annotation:
    """An annotation that shows itself without the modules of its types."""

    def __init__(self, found: object) -> None:
        said = found if isinstance(found, str) else inspect.formatannotation(found).replace("~", "")
        self._said = re.sub(r"^Optional\[(.*)\]$", r"\1 | None", _MODULE.sub("", said))

    def __repr__(self) -> str:
        return self._said


def _annotation(found: object) -> object:
    return found if found is inspect.Signature.empty else _Annotation(found)


def _docstring(value: object, without: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the parts of a docstring in Google's style as Markdown."""
    said = inspect.cleandoc(getattr(value, "__doc__", None) or "")
    first, *rest = _SECTION.split(said)
    yield from (text(paragraph) for paragraph in first.strip().split("\n\n"))
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        if title in without:
            continue
        if title.startswith("Example"):
            yield block("pycon", inspect.cleandoc(body.strip("\n")))
        elif title in {"Args", "Raises"}:
            words = _ITEM.split(body)[1:]
            items = [(code(term), text(meaning)) for term, meaning in zip(words[::2], words[1::2], strict=True)]
            yield f"**{'Arguments' if title == 'Args' else title}**"
            yield definitions(items)
        else:
            yield f"**{title}**: {text(body)}"
