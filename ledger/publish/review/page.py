"""A review comment as a page of its own: the same text in HTML, for a browser or a mail program."""

from markdown_it import MarkdownIt

from ledger.publish.pages.page import markup
from ledger.publish.site.templating import render


def render_review_page(comment: str) -> str:
    """Return a comment as a whole HTML document without scripts.

    The only HTML that passes is ours: what comes from records stands in code spans, which are escaped.
    """
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(comment)
    return render("review/page", body=markup(body)) + "\n"
