"""The Jinja environment of every page: strict, escaping, with the formatting of values as filters."""

import os
import sys
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.nodes import Template
from jinja2.runtime import Context
from markupsafe import Markup, escape

from ledger import formatting
from ledger.analysis.data.machine_use import gpu_notes, traffic_facts
from ledger.hashing import hash_bytes
from ledger.model.values import Document
from ledger.publish import text
from ledger.publish.charts.use_chart import render_gpu_use
from ledger.publish.pages import addresses
from ledger.resources import shipped


def _ticked(words: str) -> Markup:
    """Return a text with what stands in backticks as code; a last one without a partner stays."""
    parts = text.visible(words).split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return Markup().join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


_FILTERS: dict[str, Callable[..., object]] = {
    "number": text.short_number,
    "exact": formatting.exact_number,
    "param": text.param_text,
    "duration": formatting.duration,
    "latency": formatting.latency,
    "size": formatting.byte_size,
    "share": formatting.share,
    "minute": formatting.minute,
    "iso": formatting.iso,
    "day": formatting.day,
    "short_hash": text.short_hash,
    "one_line": text.one_line,
    "ticked": _ticked,
}


def _money(amount: float, currency: str | None) -> Markup:
    """Return an amount in short form that shows the exact one on hover."""
    shown, exact = text.visible(text.money(amount, currency)), text.visible(formatting.exact_money(amount, currency))
    return Markup('<span class="lg-nowrap" title="{}">{}</span>').format(exact, shown)


_FUNCTIONS: dict[str, Callable[..., object]] = {
    "money": _money,
    "measured": text.measured,
    "safe_url": text.safe_url,
    "link": addresses.link,
    "run_page": addresses.run_page,
    "run_document": addresses.run_document,
    "experiment_page": addresses.experiment_page,
    "dataset_page": addresses.dataset_page,
    "gpu_notes": gpu_notes,
    "gpu_use": render_gpu_use,
    "traffic_facts": traffic_facts,
}


class _Context(Context):
    """What a template sees; it calls what it names directly: nothing of ours asks for the context or its escaping."""

    def call(self, what: Callable[..., Any], /, *values: Any, **named: Any) -> Any:  # noqa: ANN401  # as a template gives
        """Return the result of a call from a template; Jinja's own looks five times for who wants the context."""
        named.pop("_loop_vars", None)
        named.pop("_block_vars", None)
        return what(*values, **named)


class _Templates(Environment):
    """The environment: what a template prints passes through one function of ours, which keeps what is short."""

    context_class = _Context

    def _generate(self, source: Template, name: str | None, filename: str | None, defer_init: bool = False) -> str:  # noqa: FBT001, FBT002  # signature of the hook
        """Return the Python of a template; where Jinja writes another call, that does the same in more time."""
        code: str = super()._generate(source, name, filename, defer_init)
        return code.replace("escape(environment.finalize(", "environment.shown((")

    @staticmethod
    def shown(value: Any) -> str:  # noqa: ANN401  # Jinja passes whatever a template prints
        """Return a template's value as HTML: escaped, with hidden characters made visible, except in our own HTML."""
        kind = type(value)
        if kind is str:
            return _short_html(value) if len(value) <= _SHORT else escape(text.visible(value))
        return value if kind is Markup else escape(_visible(value))


_SHORT, _SHORT_KEPT = 120, 50_000
"""Most characters of a text that is kept as HTML, and most of these: 20 MB. Names, labels and units come again."""


@lru_cache(maxsize=_SHORT_KEPT)
def _short_html(value: str) -> str:
    return str(escape(text.visible(value)))


@cache
def environment() -> Environment:
    """Return the environment of the shipped templates."""
    made = _Templates(
        loader=FileSystemLoader(shipped("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
        auto_reload=False,
        bytecode_cache=_bytecode_cache(),
    )
    made.filters.update(_FILTERS)
    made.globals.update(_FUNCTIONS)
    small = made.get_template("macros.html.jinja").module
    for name in _SMALL_MACROS:
        setattr(small, name, _remember(getattr(small, name)))
    boxes = made.get_template("boxes.html.jinja").module
    for name in _WHOLE_BOXES:
        setattr(boxes, name, _remember_box(getattr(boxes, name)))
    return made


def _bytecode_cache() -> FileSystemBytecodeCache | None:
    """Return the place of compiled templates: beside this module's own bytecode, and only where Python may keep that.

    Compiling all templates takes as long as rendering 200 pages. Whoever can write there can change this module.
    """
    folder = Path(cache_from_source(__file__)).parent
    if sys.dont_write_bytecode or not os.access(folder, os.W_OK):
        return None
    # What is kept is Python of this module's making: another version of it makes another.
    own = hash_bytes(Path(__file__).read_bytes()).partition(":")[2][:16]
    return FileSystemBytecodeCache(str(folder), f"templates-{own}-%s.cache")


_SMALL_MACROS = ("badge", "better", "fact", "metric_name", "run_link", "time", "value")
"""Macros that print nothing but their arguments, and that pages call again and again with the same."""
_SMALL_RESULTS = 10_000
"""Most results of one of them that are kept, 2 MB."""


def _remember(macro: Callable[..., str]) -> Callable[..., str]:
    """Return a macro that is rendered once for equal arguments of equal types."""
    rendered = lru_cache(maxsize=_SMALL_RESULTS, typed=True)(macro)

    def answer(*values: Any, **named: Any) -> str:  # noqa: ANN401  # whatever a template gives
        try:
            if 0.0 in values and float in map(type, values):  # zero is equal to negative zero, and written otherwise
                return macro(*values, **named)
            return rendered(*values, **named)
        except TypeError:  # a list, say
            return macro(*values, **named)

    return answer


_WHOLE_BOXES = ("environment",)
"""Macros of boxes that many runs have alike, from their first to their last value."""
_BOXES_KEPT = 100
"""Most results of one of them that are kept, of 20 KB each."""


def _remember_box(macro: Callable[..., str]) -> Callable[..., str]:
    """Return a macro of documents that is rendered once for equal ones."""
    kept: dict[str, str] = {}

    def answer(*boxes: Document | None) -> str:
        key = hash_bytes(msgspec.msgpack.encode(boxes))
        if key not in kept:
            if len(kept) == _BOXES_KEPT:
                del kept[next(iter(kept))]
            kept[key] = macro(*boxes)
        return kept[key]

    return answer


def render(template: str, **values: object) -> str:
    """Return the template `<template>.html.jinja` filled with `values`."""
    return environment().get_template(f"{template}.html.jinja").render(**values)


def _visible(value: Any) -> Any:  # noqa: ANN401  # Jinja passes whatever a template prints
    """Return a template's value with hidden characters made visible, except in our own HTML."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return text.visible(value)
    return value
