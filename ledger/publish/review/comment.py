"""The review of a proposal as a comment for a pull request: Markdown that a host, a terminal and a mail program show.

The text is in `templates/review/`; here are the values. Everything that comes from a record stands in code spans of
one line: no host takes Markdown, HTML, a mention or a link from there. Details fold away; what is too long for a
comment is left out and counted.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ledger import formatting
from ledger.analysis.judging.judgement import Judgement
from ledger.analysis.judging.review import RunReview
from ledger.analysis.query.fields import Value, show_value
from ledger.model.claims.measurements import same_data
from ledger.model.record import Record
from ledger.model.values import Document, counted
from ledger.publish.text import measured, money, one_line, short_number
from ledger.resources import shipped

MOST_BYTES = 58_000
"""Largest comment in bytes: GitHub refuses more than 65,536 characters, and needs some for itself."""
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,80}")
_ICONS = {"better": "🟢", "worse": "🔴", "within noise": "⚪", "not comparable": "🟡", "cannot tell": "🟡"}


class Markdown(str):
    """Text that is Markdown of ours; templates put every other text into a code span."""

    __slots__ = ()


MARKER = Markdown("<!-- ledger-review -->")
"""First line of the comment, which identifies the one to update."""


class ReviewProblem(Document, frozen=True, kw_only=True):
    """A finding of `ledger check`, in one line."""

    text: str
    """The finding, its place, and the fix."""
    fatal: bool
    """Whether it keeps the proposal from being merged."""


def render_review(
    name: str, reviews: Sequence[RunReview], *, others: Sequence[str] = (), problems: Sequence[ReviewProblem] = ()
) -> str:
    """Return the comment.

    Args:
        name: the proposal, as shown to people.
        reviews: one for each run.
        others: paths of the other added documents.
        problems: findings of `ledger check`.
    """
    values = {
        "marker": MARKER,
        "name": name,
        "reviews": reviews,
        "one": reviews[0] if len(reviews) == 1 else None,
        "others": others,
        "problems": sorted(problems, key=lambda one: not one.fatal),
        "fatal": sum(problem.fatal for problem in problems),
        "learned": sum(any(same_data(review.run.record.datasets.used)) for review in reviews),
        "rows": _rows_shown(reviews),
    }
    room = MOST_BYTES - len(_render("comment", **values, details=Markdown(), shown=0).encode())
    details: list[str] = []
    for review in reviews:
        text = _details(review, unfolded=len(reviews) == 1)
        room -= len(text.encode())
        if room < 0:
            break
        details.append(text)
    return _render("comment", **values, details=Markdown("\n".join(details)), shown=len(details)) + "\n"


def _rows_shown(reviews: Sequence[RunReview]) -> int:
    """Return how many runs the table of a proposal has room for; one run needs no table."""
    room = MOST_BYTES // 2
    for shown, review in enumerate(reviews if len(reviews) > 1 else ()):
        room -= len(_render("row", review=review).encode()) + 1
        if room < 0:
            return shown
    return len(reviews)


def _details(review: RunReview, *, unfolded: bool) -> str:
    headline = review.run.record.results.headline
    return _render(
        "run",
        review=review,
        unfolded=unfolded,
        columns=[*(word for word, _ in review.against), "this run"],
        changes=_changes(review),
        metrics=sorted(review.metrics, key=lambda line: line.metric.key != headline),
        notices=[
            ("Missing", [f"{name}: {why or 'unknown'}" for name, why in review.missing.items()]),
            ("Warnings", review.warnings),
            ("To try next", [f"{advice.rule}: {advice.say}" for advice in review.advice]),
        ],
    )


def _changes(review: RunReview) -> list[tuple[Markdown, list[Value]]]:
    """Return what differs from the runs it is compared with: name, and the value of each."""
    comparison = review.comparison
    if comparison is None:
        return []
    facts = {"commit", "dirty", "dataset", "chain", "host", "seed", "status"} - {row.name for row in comparison.params}
    rows: list[tuple[Markdown, list[Value]]] = [
        (Markdown(f"param {code(row.name, 40)}"), [*row.values]) for row in comparison.params
    ]
    rows += [(Markdown(fact.name), [*fact.values]) for fact in comparison.facts if fact.name in facts]
    rows += [(code(fact.name, 40), [*fact.values]) for fact in comparison.facts if fact.name.startswith("code of ")]
    rows += [(code(row.name, 40), [*row.values]) for row in review.surroundings]
    return rows


def code(text: object, limit: int = 120) -> Markdown:
    """Return text as a code span of one line, in which nothing is markup, a link or a mention, in tables too."""
    shown = (
        one_line(str(text), limit)
        .replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}")
        .replace("|", "\\|")
        .replace("<!--", "<! --")
    )
    return Markdown(f"`{shown or ' '}`")


def _prose(why: str) -> Markdown:
    """Return a reason; its quotes from records are in backticks already, and are made safe."""
    quoted = why.split("`")
    return Markdown("".join(code(part, 100) if at % 2 else _escaped(part) for at, part in enumerate(quoted)))


def _escaped(text: str) -> str:
    line = one_line(text, 300)
    if text[:1] == " ":
        line = f" {line}"
    if text[-1:] == " ":
        line = f"{line} "
    line = "".join(f"\\{character}" if character in "\\*_{}[]<>#|~@!&" else character for character in line)
    # Text that hosts turn into links: https://github.github.com/gfm/#autolinks-extension-
    return re.sub(r"(?i)(www)\.", r"\1\\.", line.replace("://", ":\\//"))


def _verdict(review: RunReview) -> Markdown:
    """Return the verdict in a word, and how the run ended where it did not finish."""
    status = review.run.record.status
    return Markdown(review.word if status == "finished" else f"{review.word}, but {status}")


def _words(reviews: Sequence[RunReview]) -> Markdown:
    """Return how often each verdict was reached."""
    words = [review.word for review in reviews]
    return Markdown(", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)))


def _mean(value: float, judged: Judgement) -> str:
    return measured(value, judged.noise.width if judged.noise else None)[0]


def _cost(record: Record) -> Markdown:
    cost = record.cost
    return code(money(cost.amount, cost.currency), 40) if cost.amount is not None else Markdown("unknown")


def _command_word(name: str) -> str:
    """Return what may stand in a command that is copied from a comment: not the name of a hostile branch."""
    return name if _SAFE.fullmatch(name) else "RUN"


_PLAIN: dict[str, Callable[..., str]] = {
    "change": formatting.change,
    "command_word": _command_word,
    "counted": counted,
    "duration": formatting.duration,
    "icon": lambda review: _ICONS[review.word],
    "mean": _mean,
    "noise": lambda value: formatting.number(value, 2),
    "number": short_number,
    "plain": str,
    "share": formatting.share,
}
"""Filters whose text is ours: numbers, and words of a fixed list."""


@cache
def _templates() -> Environment:
    made = Environment(  # noqa: S701  # Markdown, not HTML: what is not marked as ours becomes a code span
        loader=FileSystemLoader(shipped("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: code(value) if isinstance(value, str) and not isinstance(value, Markdown) else value,
        auto_reload=False,
    )
    made.filters.update({name: _ours(filter_) for name, filter_ in _PLAIN.items()})
    made.filters.update(
        {
            "capital": lambda text: Markdown(text[:1].upper() + text[1:]),
            "code": code,
            "cost": _cost,
            "prose": _prose,
            "sentence": lambda why: Markdown(f"{_prose(why[:1].upper() + why[1:])}."),
            "value": show_value,
            "verdict": _verdict,
            "words": _words,
        }
    )
    return made


def _ours(filter_: Callable[..., str]) -> Callable[..., Markdown]:
    return lambda *values: Markdown(filter_(*values))


def _render(template: str, /, **values: object) -> str:
    return _templates().get_template(f"review/{template}.md.jinja").render(**values)
