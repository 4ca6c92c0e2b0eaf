"""The verdict on a run's page, by `ledger judge`, against the run it is compared with.

One line without numbers that move with every new run: a page is made again only when its answer changes.
"""

from ledger.analysis.comparing.comparable import Group, counts, group_of, why_not_comparable
from ledger.analysis.judging.judgement import gather, verdict_on
from ledger.analysis.judging.verdict import Answer
from ledger.errors import UsageError
from ledger.model.entries import StoredRun
from ledger.model.values import Document
from ledger.publish.site.site_data import Atlas


class VerdictLine(Document, frozen=True, kw_only=True):
    """A verdict on a page."""

    answer: Answer
    """`keep`, `discard` or `cannot tell`."""
    why: str
    """The reason."""
    against: str
    """Run it was judged against."""


def verdict_lines(atlas: Atlas) -> dict[str, VerdictLine]:
    """Return the verdict on every run with a reference run, by run; none where there is no answer."""
    asked = {run.record.id: found for run in atlas.runs if (found := _question(run, atlas)) is not None}
    if not asked:
        return {}
    tried = gather(atlas.runs, only={group.id for _, group in asked.values()})
    lines = {}
    for run, (against, group) in asked.items():
        try:
            verdict = verdict_on(run, against, tried[group.id])
        except UsageError:  # one setting, no finite value, no direction: the tile beside explains it
            continue
        except ModuleNotFoundError:  # scipy is part of the extra; without it pages have no verdicts
            return {}
        lines[run] = VerdictLine(answer=verdict.answer, why=verdict.why, against=against)
    return lines


def _question(run: StoredRun, atlas: Atlas) -> tuple[str, Group] | None:
    """Return the reference of a run, and the group; none where there is nothing to judge."""
    headline = run.record.headline
    reference, _ = atlas.reference_of(run) or ("", "")
    other = atlas.by_id.get(reference)
    if headline is None or other is None or not counts(run) or not counts(other):
        return None
    if all(why_not_comparable(headline, metric) is not None for metric in other.metrics()):
        return None
    return reference, group_of(headline)
