"""Writes plain text, names and lists as the Markdown of the handbook."""

import re
from collections.abc import Iterable

_SPECIAL = re.compile(r"([\\*_\[\]<>{}#|])")
_CODE = re.compile(r"(`[^`]*`)")


def text(said: str) -> str:
    """Return text in which only what stands in backticks means something."""
    parts = _CODE.split(" ".join(said.split()))
    return "".join(part if at % 2 else _SPECIAL.sub(r"\\\1", part) for at, part in enumerate(parts))


def code(said: str) -> str:
    """Return a text as code, whatever it holds."""
    fence = "``" if "`" in said else "`"
    return f"{fence}{said}{fence}"


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of terms, as Markdown already, each with its meaning below it."""
    return "\n\n".join(f"{term}\n:   {meaning}" for term, meaning in pairs)


def block(language: str, said: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{said}\n```"


def page(description: str, title: str, intro: str, parts: Iterable[str]) -> str:
    """Return a whole page; its first line says where it comes from."""
    head = f"---\ndescription: {description}\n---\n\n# {title}\n\n{intro}"
    made = "<!-- Made by `python -m tests.handbook --write` from the code: change it there. -->"
    return "\n\n".join([head, *parts, made]) + "\n"
