"""The review of a proposal as a comment for a pull request: Markdown that a host, a terminal and a mail program show.

Everything that comes from a record stands in code spans of one line: no host takes Markdown, HTML, a mention or a link
from there. The verdict comes first; details fold away; what is too long for a comment is left out and counted.
"""

import re
from collections.abc import Iterator, Sequence

from ledger.analysis.judging.review import MetricLine, RunReview
from ledger.analysis.query.fields import Value, show_value
from ledger.formatting import change, duration, number, share
from ledger.model.claims.measurements import same_data
from ledger.model.record import Record
from ledger.model.values import Document, counted
from ledger.publish.text import measured, money, one_line, short_number

MARKER = "<!-- ledger-review -->"
"""First line of the comment, which identifies the one to update."""
MOST_BYTES = 58_000
"""Largest comment in bytes: GitHub refuses more than 65,536 characters, and needs some for itself."""
_SHOWN = 8
"""Most lines of each list."""
_CELL = 60
"""Most characters of a cell."""
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,80}")
_ICONS = {"better": "🟢", "worse": "🔴", "within noise": "⚪", "not comparable": "🟡", "cannot tell": "🟡"}
_CHECKLIST = (
    "the question of the experiment is answered, and by the right metric on the right data",
    "what changed is what the author says changed, and nothing else",
    "the difference is larger than the noise, or the claim does not need it to be",
    "cost and size are worth it",
    "what is missing or warned about is understood",
)


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
    head = [MARKER, *_headline(reviews, others, problems), *_table(reviews)]
    tail = ["", "### For the reviewer", "", *(f"- [ ] {line}" for line in _CHECKLIST), "", _footer(name), ""]
    room = MOST_BYTES - _size(head) - _size(tail)
    parts: list[str] = []
    for at, review in enumerate(reviews):
        part = [*_details(review, unfolded=len(reviews) == 1)]
        room -= _size(part)
        if room < 0:
            left = counted(len(reviews) - at, "run")
            parts += ["", f"Details of {left} are left out here: `ledger review` shows each by its id."]
            break
        parts += part
    return "\n".join([*head, *parts, *tail])


def code(text: object, limit: int = 120) -> str:
    """Return text as a code span of one line, in which nothing is markup, a link or a mention, in tables too."""
    shown = (
        one_line(str(text), limit)
        .replace("`", "\N{MODIFIER LETTER GRAVE ACCENT}")
        .replace("|", "\\|")
        .replace("<!--", "<! --")
    )
    return f"`{shown or ' '}`"


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _headline(reviews: Sequence[RunReview], others: Sequence[str], problems: Sequence[ReviewProblem]) -> Iterator[str]:
    fatal = [problem for problem in problems if problem.fatal]
    if fatal:
        yield f"## ⛔ Not to be merged: {counted(len(fatal), 'problem')}"
    elif any(_learned(review) for review in reviews):
        runs = "it was" if len(reviews) == 1 else f"{sum(map(_learned, reviews))} of {len(reviews)} runs were"
        yield f"## ⛔ Measured on what {runs} trained on"
    elif len(reviews) == 1:
        shown = _verdict(reviews[0])
        yield f"## {_ICONS[reviews[0].word]} {shown[:1].upper()}{shown[1:]}: {code(reviews[0].run.record.id)}"
    elif reviews:
        words = [review.word for review in reviews]
        counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
        yield f"## {counted(len(reviews), 'run')}: {counts}"
    else:
        yield f"## No run: {counted(len(others), 'other document')}"
    yield ""
    if len(reviews) == 1:
        yield f"**{_sentence(reviews[0].why)}** {_against(reviews[0])}"
        yield from _mend(reviews[0])
        yield from _evidence(reviews[0])
        yield ""
    for problem in sorted(problems, key=lambda one: not one.fatal)[:20]:
        yield f"- {'⛔' if problem.fatal else '⚠️'} {code(problem.text, 300)}"
    if len(problems) > 20:  # noqa: PLR2004  # the number shown
        yield f"- and {len(problems) - 20} more: `ledger check`"
    if problems:
        yield ""
    if others:
        shown = ", ".join(code(path, 100) for path in others[:5])
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""  # noqa: PLR2004  # the number shown
        yield f"Also added: {shown}{more}."
        yield ""


def _learned(review: RunReview) -> bool:
    """Return whether a run was evaluated on its own training data."""
    return any(same_data(review.run.record.datasets.used))


def _verdict(review: RunReview) -> str:
    """Return the verdict in a word, and how the run ended where it did not finish."""
    status = review.run.record.status
    return review.word if status == "finished" else f"{review.word}, but {status}"


def _plain(why: str) -> str:
    """Return a reason; its quotes from records are in backticks already, and are made safe."""
    quoted = why.split("`")
    return "".join(code(part, 100) if at % 2 else _escaped(part) for at, part in enumerate(quoted))


def _sentence(why: str) -> str:
    """Return a reason as a sentence."""
    return f"{_plain(why[:1].upper() + why[1:])}."


def _mend(review: RunReview) -> Iterator[str]:
    if review.mend:
        yield from ("", f"To mend it: {code(review.mend, 200)}")


def _escaped(text: str) -> str:
    line = one_line(text, 300)
    if text[:1] == " ":
        line = f" {line}"
    if text[-1:] == " ":
        line = f"{line} "
    line = "".join(f"\\{character}" if character in "\\*_{}[]<>#|~@!&" else character for character in line)
    # Text that hosts turn into links: https://github.github.com/gfm/#autolinks-extension-
    return re.sub(r"(?i)(www)\.", r"\1\\.", line.replace("://", ":\\//"))


def _against(review: RunReview) -> str:
    named = " and ".join(f"the {word} {code(run)}" for word, run in review.against)
    return f"Compared with {named}." if named else ""


def _evidence(review: RunReview) -> Iterator[str]:
    judged = review.judgement
    if judged is None:
        return
    verdict, ours, theirs = judged.verdict, judged.ours, judged.theirs
    width = judged.noise.width if judged.noise else None
    reach = (
        ""
        if verdict.low is None or verdict.high is None
        else f" (90 %: {change(verdict.low)} to {change(verdict.high)})"
    )
    repeats = f", {verdict.repeats} repeats of each would settle it" if verdict.repeats else ""
    yield ""
    yield (
        f"{code(judged.metric, 60)} on {code(judged.dataset, 60)}: mean {measured(ours.mean, width)[0]} of"
        f" {counted(ours.count, 'run')} against {measured(theirs.mean, width)[0]} of {theirs.count}, improvement"
        f" {change(verdict.effect, 4)}{reach}, {counted(verdict.trials, 'trial')} corrected for{repeats}."
    )


def _table(reviews: Sequence[RunReview]) -> Iterator[str]:
    """Yield one line per run, where there are several."""
    if len(reviews) < 2:  # noqa: PLR2004  # one run needs no table
        return
    yield "| run | verdict | headline | change | time | cost |"
    yield "|---|---|---|---|---|---|"
    room = MOST_BYTES // 2
    for at, review in enumerate(reviews):
        record = review.run.record
        headline, judged = record.headline, review.judgement
        shown = f"{code(headline.key, 40)} {short_number(headline.number)}" if headline else "none"
        gained = change(judged.verdict.effect, 4) if judged else "\N{EN DASH}"
        cells = (
            code(record.id), f"{_ICONS[review.word]} {_verdict(review)}", shown, gained,
            duration(record.timing.took), _cost(record),
        )  # fmt: skip
        row = f"| {' | '.join(cells)} |"
        room -= _size([row])
        if room < 0:
            yield from ("", f"And {counted(len(reviews) - at, 'more run')}.")
            break
        yield row
    yield ""


def _cost(record: Record) -> str:
    cost = record.cost
    return code(money(cost.amount, cost.currency), 40) if cost.amount is not None else "unknown"


def _details(review: RunReview, *, unfolded: bool) -> Iterator[str]:
    record = review.run.record
    if unfolded:
        yield "### What changed"
    else:
        yield f"<details><summary>{_ICONS[review.word]} {_verdict(review)}: <code>{record.id}</code></summary>"
    yield ""
    if not unfolded:
        yield f"{_sentence(review.why)} {_against(review)}"
        yield from _mend(review)
        yield from _evidence(review)
        yield ""
    if record.note:
        yield f"> {code(record.note, 300)}"
        yield ""
    yield from _changes(review)
    yield from _metrics(review)
    if review.curves:
        yield from ("", *(f"- {code(name, 60)} {code(picture, 80)}" for name, picture in review.curves.items()))
    yield ""
    yield _spent(record)
    yield from _notices("Missing", [f"{name}: {why or 'unknown'}" for name, why in review.missing.items()])
    yield from _notices("Warnings", review.warnings)
    yield from _notices("To try next", [f"{advice.rule}: {advice.say}" for advice in review.advice])
    yield ""
    if not unfolded:
        yield "</details>"
        yield ""


def _changes(review: RunReview) -> Iterator[str]:
    comparison = review.comparison
    if comparison is None:
        yield "Nothing stands on the ledger to compare it with."
        yield ""
        return
    words = [*(word for word, _ in review.against), "this run"]
    rows: list[tuple[str, list[Value]]] = [(f"param {code(row.name, 40)}", [*row.values]) for row in comparison.params]
    facts = {"commit", "dirty", "dataset", "host", "seed", "status"} - {row.name for row in comparison.params}
    rows += [(fact.name, fact.values) for fact in comparison.facts if fact.name in facts]
    rows += [(code(row.name, 40), [*row.values]) for row in review.surroundings]
    if not rows:
        yield "Params, code, data, software and hardware are the same."
    else:
        yield from _rows(["", *words], [[name, *map(_value, values)] for name, values in rows[:40]])
        if len(rows) > 40:  # noqa: PLR2004  # the number shown
            yield f"and {len(rows) - 40} more differences: `ledger compare {' '.join(comparison.runs)}`"
    yield ""
    if review.code:
        yield from ("Code since then:", "", *(f"- {code(line, 100)}" for line in review.code), "")
    patch = review.run.record.code.patch
    if patch:
        files = counted(patch.files, "file")
        yield f"Uncommitted changes, captured: {files}, +{patch.added} \N{MINUS SIGN}{patch.removed}"
        yield ""


def _value(value: Value) -> str:
    return code(show_value(value), _CELL) if value is not None else "none"


def _metrics(review: RunReview) -> Iterator[str]:
    if not review.metrics:
        yield "It has no metrics."
        return
    headline = review.run.record.results.headline
    order = sorted(review.metrics, key=lambda line: line.metric.key != headline)
    words = [word for word, _ in review.against]
    yield from _rows(
        ["metric", "on", *words, "this run", "noise"], [_metric(line, len(words)) for line in order[:_SHOWN]]
    )
    if len(order) > _SHOWN:
        yield f"and {counted(len(order) - _SHOWN, 'more metric')}: `ledger show {review.run.record.id}`"
    apart = {line.why for line in order[:_SHOWN] if line.why and line.why != "only this run has it"}
    yield from ("", *(f"Not compared: {_plain(why)}." for why in sorted(apart)))


def _metric(line: MetricLine, others: int) -> list[str]:
    arrow = {"higher": " ↑", "lower": " ↓", None: ""}[line.metric.direction]
    values = [*line.others, *[None] * (others - len(line.others))]
    return [
        f"{code(line.metric.key, 40)}{arrow}{' (from the curve)' if line.metric.origin == 'curve' else ''}",
        code(line.metric.dataset or "unknown data", 40),
        *("\N{EN DASH}" if value is None else short_number(value) for value in values),
        f"**{short_number(line.metric.number)}**",
        "unknown" if line.noise is None else f"± {number(line.noise, 2)}",
    ]


def _rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _spent(record: Record) -> str:
    said = [f"Took {duration(record.timing.took)}", f"cost {_cost(record)}"]
    if record.cost.idle_amount and record.cost.amount:
        said.append(f"idle for {share(record.cost.idle_amount / record.cost.amount)} of it")
    if record.model.parameters is not None:
        said.append(f"{short_number(record.model.parameters)} parameters")
    return f"{', '.join(said)}."


def _notices(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", f"**{title}**", "", *(f"- {code(line, 240)}" for line in lines[:_SHOWN]))
        if len(lines) > _SHOWN:
            yield f"- and {len(lines) - _SHOWN} more"


def _footer(name: str) -> str:
    # A command that is copied from a comment must not contain the name of a hostile branch.
    shown = name if _SAFE.fullmatch(name) else "RUN"
    return f"The same on your machine: `ledger review {shown}`. How it is judged: the handbook's page on verdicts."
