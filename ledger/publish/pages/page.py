"""The content of a page, before it is put into its shell."""

from collections.abc import Sequence

from markupsafe import Markup

from ledger.model.values import Document
from ledger.publish.text import escaped, one_line


class Page(Document, frozen=True, kw_only=True):
    """One page of the ledger, as the parts that its shell lacks."""

    kind: str
    """Kind of shell."""
    path: str
    """Its path in the site."""
    title: str
    """Title, plain text."""
    description: str
    """One sentence for search engines and link previews, plain text."""
    content: str
    """HTML."""
    contents: Sequence[tuple[str, str]] = ()
    """Headings for the table of contents: anchor and title."""

    def parts(self) -> dict[str, str]:
        """Return the parts for the placeholders of the shell."""
        return {
            "title": one_line(self.title, 120),
            "description": one_line(self.description, 200),
            "content": self.content,
            "toc": "".join(_entry(anchor, title) for anchor, title in self.contents),
        }

    @property
    def depth(self) -> int:
        """Number of folders in its path."""
        return self.path.count("/")


def markup(html: str) -> Markup:
    """Return HTML made by this room (charts, highlighted code), so that templates take it as it is."""
    return Markup(html)  # noqa: S704  # every caller has escaped what came from a record


def _entry(anchor: str, title: str) -> str:
    return (
        f'<li class="md-nav__item"><a href="#{anchor}" class="md-nav__link">'
        f'<span class="md-ellipsis">{escaped(title)}</span></a></li>'
    )
