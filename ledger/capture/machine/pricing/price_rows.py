"""Rows of the policy's prices: reading them, and finding the one that holds for a run.

Of the rows that match, the most specific wins: a row for an instance before one for a partition before one for a GPU;
of GPUs the one with more words; then the one with more conditions (provider, region); then the first in the file.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, get_args

from ledger.capture.machine.pricing.carbon import CLOUDS
from ledger.capture.machine.pricing.energy import Energy
from ledger.model.boxes.cost import Ownership, PriceKind, PriceRow
from ledger.model.boxes.machine import Platform

Level = Literal["instance", "partition", "gpu"]
"""What a row prices."""
LEVELS: tuple[Level, ...] = get_args(Level)
CURRENCY = re.compile(r"[A-Z]{3}")
HOURS_PER_YEAR = 8760
_TEXTS = ("provider", "instance", "gpu", "partition", "region", "source")
_KINDS: tuple[PriceKind, ...] = get_args(PriceKind)
_KEYS = (*_TEXTS, "kind", "price_per_hour", "owned", "currency", "from", "to")
_OWNED = ("price", "years", "use", "watts")
_LENGTH = 200
_MOST = 1e9
"""No hour costs a billion."""
_MOST_YEARS = 100.0
_MOST_WATTS = 1e6
_SHOWN = 80


@lru_cache(maxsize=4096)
def name_words(name: str) -> frozenset[str]:
    """Return the words of a product name or of a pattern, in lower case."""
    return frozenset(re.split(r"[\s\-_/()]+", name.lower())) - {""}


def find_row(
    rows: Sequence[PriceRow],
    level: Level,
    *,
    started: date | None,
    platforms: Sequence[Platform],
    life_cycle: str | None,
    product: str = "",
) -> PriceRow | None:
    """Return the row of one level that holds for a run, or none.

    Args:
        rows: all rows, in the order of the file.
        level: what the row is to price.
        started: day on which the run began, UTC; none where it is unknown, which no row matches.
        platforms: platforms of the run.
        life_cycle: `spot`, `on-demand`, or none where unknown: rows of the kind `spot` need the first.
        product: product name of the GPU, for the level `gpu`.
    """
    if started is None:
        return None
    spot, words = life_cycle == "spot", name_words(product)
    best: tuple[tuple[int, int, int], PriceRow] | None = None
    for row in rows:
        if getattr(row, level) is None or (row.kind == "spot") != spot:
            continue
        if started < row.valid_from or (row.valid_to is not None and started > row.valid_to):
            continue
        pattern = name_words(row.gpu) if row.gpu else frozenset()
        if not pattern <= words or not _on_platforms(row, platforms):
            continue
        rank = (len(pattern), (row.provider is not None) + (row.region is not None), row.provider is not None)
        if best is None or rank > best[0]:
            best = (rank, row)
    return best[1] if best else None


def _on_platforms(row: PriceRow, platforms: Sequence[Platform]) -> bool:
    """Return whether one platform has the provider and the type of machine, and any of them the region."""
    place = row.instance or row.partition
    if row.provider or place:
        there = (one for one in platforms if row.provider is None or _is_provider(one.name, row.provider))
        if not any(place is None or _same(one.instance, place) for one in there):
            return False
    return row.region is None or any(
        _same(one.region, row.region) or _same((one.region or "").rpartition(" ")[2], row.region) for one in platforms
    )


def _is_provider(platform: str, provider: str) -> bool:
    return provider.lower() in {platform.lower(), CLOUDS.get(platform)}


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.strip().lower() == other.strip().lower()


def load_rows(values: object, currency: str, energy: Energy, problems: list[str]) -> list[PriceRow]:
    """Return the rows of a policy; what is wrong with them is added to `problems`.

    Args:
        values: the list as YAML has it.
        currency: currency of the catalogue.
        energy: tariff and PUE for the energy of owned machines.
        problems: receives `field: why` for each problem.
    """
    if not isinstance(values, list):
        problems.append("rows: a list of rows expected, each with `instance`, `gpu` or `partition`")
        return []
    found: dict[int, PriceRow] = {}
    for number, value in enumerate(values):
        before = len(problems)
        row = _row(f"rows[{number}]", value, currency, energy, problems)
        if row is not None and len(problems) == before:
            found[number] = row
    problems += _overlaps(found)
    return list(found.values())


def _row(field: str, value: object, currency: str, energy: Energy, problems: list[str]) -> PriceRow | None:
    if not isinstance(value, Mapping):
        problems.append(f"{field}: a row expected, such as `{{gpu: H100, kind: on-demand, price_per_hour: 2.5}}`")
        return None
    wrong = _unknown_keys(value, _KEYS)
    texts = {name: _text(name, value.get(name), wrong) for name in _TEXTS}
    _check_subject(value, texts["gpu"], wrong)
    kind, own = value.get("kind"), value.get("currency", currency)
    if kind not in _KINDS:
        wrong.append(f"kind: one of {', '.join(_KINDS)} expected: `{ascii(kind)[:40]}`")
    if value.get("source") is None:
        wrong.append("source: text expected that says where the price comes from")
    if not isinstance(own, str) or not CURRENCY.fullmatch(own):
        wrong.append(f"currency: three capital letters expected, such as `EUR`: `{ascii(own)[:40]}`")
    first, last = _day("from", value.get("from"), wrong), _day("to", value.get("to"), wrong, needed=False)
    if first and last and last < first:
        wrong.append(f"to: {last} is before {first}, the day of `from`")
    owned = _owned(value.get("owned"), energy if own == currency else Energy(), wrong)
    price = _price(value, owned, wrong)
    problems += [f"{field}.{why}" if re.match(r"[\w.]+: ", why) else f"{field}: {why}" for why in wrong]
    if wrong or first is None:
        return None
    return PriceRow(
        **texts,  # type: ignore[arg-type]  # the source is text, or it was wrong
        kind=kind,  # type: ignore[arg-type]  # one of the kinds, or it was wrong
        price_per_hour=price,
        owned=owned,
        currency=str(own),
        valid_from=first,
        valid_to=last,
    )


def _unknown_keys(value: Mapping[Any, object], known: tuple[str, ...], above: str = "") -> list[str]:
    unknown = (ascii(str(key))[1:-1][:40] for key in value if key not in known)
    return [f"{above}{key}: unknown, known are {', '.join(known)}" for key in unknown]


def _check_subject(value: Mapping[Any, object], gpu: str | None, wrong: list[str]) -> None:
    """Add a problem where a row is not for exactly one thing."""
    levels = [name for name in LEVELS if value.get(name) is not None]
    if len(levels) != 1:
        said = f"both {' and '.join(levels)}" if levels else "none of them"
        wrong.append(f"one of instance, gpu and partition expected, not {said}")
    if gpu and not name_words(gpu):
        wrong.append("gpu: words of a product name expected")


def _price(value: Mapping[Any, object], owned: Ownership | None, wrong: list[str]) -> float:
    """Return the price of an hour, as stated or as it follows from what an owned machine was bought for."""
    stated = value.get("price_per_hour")
    if value.get("owned") is not None and value.get("kind") != "owned":
        wrong.append("owned: only a row of the kind `owned` has it")
    if (stated is None) == (value.get("owned") is None):
        wrong.append("price_per_hour: a price per hour expected, or `owned` in its place for the kind `owned`")
    if stated is not None:
        return amount_of("price_per_hour", stated, wrong)
    if owned is None:
        return 0.0
    return round(owned.price / (owned.years * HOURS_PER_YEAR * owned.use) + (owned.energy_per_hour or 0.0), 6)


def _owned(value: object, energy: Energy, wrong: list[str]) -> Ownership | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        wrong.append("owned: `{price: …, years: …, use: …}` expected")
        return None
    before = len(wrong)
    wrong += _unknown_keys(value, _OWNED, "owned.")
    price = amount_of("owned.price", value.get("price"), wrong, most=1e12)
    years = _within("owned.years", value.get("years"), _MOST_YEARS, "years over which the price is spread", wrong)
    use = _within("owned.use", value.get("use"), 1.0, "the share of all hours in which it is used", wrong)
    watts = value.get("watts")
    power = None if watts is None else _within("owned.watts", watts, _MOST_WATTS, "watts", wrong)
    if len(wrong) > before:
        return None
    hourly = None
    if power is not None and energy.tariff is not None:
        hourly = round(power / 1000 * (energy.pue or 1.0) * energy.tariff, 6)
    return Ownership(price=price, years=years, use=use, watts=power, energy_per_hour=hourly)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def amount_of(field: str, value: object, problems: list[str], *, most: float = _MOST) -> float:
    """Return a price, or 0 with a problem where it is none."""
    if not _is_number(value) or not 0 <= value < most:  # type: ignore[operator]  # it is a number
        problems.append(f"{field}: a price{' per hour' if most == _MOST else ''} expected: `{ascii(value)[:40]}`")
        return 0.0
    return float(value)  # type: ignore[arg-type]  # it is a number


def _within(field: str, value: object, most: float, what: str, wrong: list[str]) -> float:
    if not _is_number(value) or not 0 < value <= most:  # type: ignore[operator]  # it is a number
        wrong.append(f"{field}: {what} expected, above 0 and at most {most:g}: `{ascii(value)[:40]}`")
        return 1.0
    return float(value)  # type: ignore[arg-type]  # it is a number


def _text(field: str, value: object, wrong: list[str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > _LENGTH or not value.isprintable():
        wrong.append(f"{field}: one line of text expected, at most {_LENGTH} characters: `{ascii(value)[:40]}`")
        return None
    return value.strip()


def _day(field: str, value: object, wrong: list[str], *, needed: bool = True) -> date | None:
    if value is None and not needed:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        with suppress(ValueError):
            return date.fromisoformat(value)
    wrong.append(f"{field}: a day expected, such as `2026-11-01`: `{ascii(value)[:40]}`")
    return None


def _overlaps(rows: Mapping[int, PriceRow]) -> Iterator[str]:
    """Yield rows for the same thing that hold on the same day, each pair with the numbers and contents of both.

    A run does not know whether its machine is reserved or owned: of these kinds, one row may hold on a day.
    """
    alike: dict[tuple[object, ...], list[tuple[date, int]]] = {}
    for number, row in rows.items():
        place = [(text or "").lower() for text in (row.provider, row.instance, row.partition, row.region)]
        key = (*place, name_words(row.gpu or ""), row.kind == "spot")
        alike.setdefault(key, []).append((row.valid_from, number))
    for same in alike.values():
        for (_, one), (start, other) in pairwise(sorted(same)):
            until = rows[one].valid_to
            if until is None or until >= start:
                yield (
                    f"rows[{other}]: it holds on days of another row for the same: "
                    f"rows[{one}] `{_shown(rows[one])}` and rows[{other}] `{_shown(rows[other])}`; end one with `to`"
                )


def _shown(row: PriceRow) -> str:
    return f"{ascii(row.label)[1:-1][:_SHOWN]}, {row.price_per_hour:g} {row.currency}"
