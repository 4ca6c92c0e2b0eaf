"""The reference page of the fields of a run, from the one list of them."""

from ledger.analysis.query.fields import OWN_FIELDS
from tests.handbook.markdown import code, page, text


def render_fields() -> str:
    rows = [
        f"| {code(field.name)} | {field.kind}{f', in {field.unit}' if field.unit else ''} | {text(field.meaning)} |"
        for field in OWN_FIELDS
    ]
    return page(
        "Fields of a run, for filters, order, columns and export",
        "Fields of a run",
        "Every run has these fields. `ledger list`, filters of other commands, `ledger export`, Python and the search"
        " of the site know them by the same names.",
        (
            "\n".join(("| field | holds | meaning |", "|---|---|---|", *rows)),
            (
                "Beside them each param is `params.NAME`, and each metric `metrics.SPLIT/NAME`. A name alone means the"
                " param or metric of that name where it is the only one: [Questions to a ledger](../reading.md)."
            ),
        ),
    )
