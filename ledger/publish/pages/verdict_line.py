"""What a run's page says of its difference from the run it is compared with: the verdict of `ledger judge`.

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
    """A verdict as a page shows it."""

    answer: Answer
    """`keep`, `discard` or `cannot tell`."""
    why: str
    """The reason."""
    against: str
    """Run it was judged against."""


def verdict_lines(atlas: Atlas) -> dict[str, VerdictLine]:
    """Return the verdict on every run that is compared with another, by run; none where it cannot be asked."""
    asked = {run.record.id: found for run in atlas.runs if (found := _question(run, atlas)) is not None}
    if not asked:
        return {}
    tried = gather(atlas.runs, only={group.id for _, group in asked.values()})
    lines = {}
    for run, (against, group) in asked.items():
        try:
            verdict = verdict_on(run, against, tried[group.id])
        except UsageError:  # one setting, no finite value, no direction: the tile beside says what there is to say
            continue
        except ModuleNotFoundError:  # scipy came with the extra; without it pages have no verdicts
            return {}
        lines[run] = VerdictLine(answer=verdict.answer, why=verdict.why, against=against)
    return lines


def _question(run: StoredRun, atlas: Atlas) -> tuple[str, Group] | None:
    """Return what a run is compared with, and in which group; none where there is nothing to judge."""
    headline = run.record.headline
    reference, _ = atlas.reference_of(run) or ("", "")
    other = atlas.by_id.get(reference)
    if headline is None or other is None or not counts(run) or not counts(other):
        return None
    if all(why_not_comparable(headline, metric) is not None for metric in other.metrics()):
        return None
    return reference, group_of(headline)
