"""The Jinja environment of every page: strict, escaping, with the formatting of values as filters."""

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ledger import formatting
from ledger.analysis.data.machine_use import gpu_notes, traffic_facts
from ledger.publish import text
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
    "traffic_facts": traffic_facts,
}


@cache
def environment() -> Environment:
    """Return the environment of the shipped templates."""
    made = Environment(
        loader=FileSystemLoader(shipped("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
        auto_reload=False,
    )
    made.filters.update(_FILTERS)
    made.globals.update(_FUNCTIONS)
    return made


def render(template: str, **values: object) -> str:
    """Return the template `<template>.html.jinja` filled with `values`."""
    return environment().get_template(f"{template}.html.jinja").render(**values)


def _visible(value: Any) -> Any:  # noqa: ANN401  # Jinja passes whatever a template prints
    """Return a template's value with hidden characters made visible, except in our own HTML."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return text.visible(value)
    return value
