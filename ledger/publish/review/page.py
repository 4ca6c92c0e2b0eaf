"""A review comment as a page of its own: the same text in HTML, for a browser or a mail program."""

from markdown_it import MarkdownIt

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #8884; padding: .3rem .6rem; text-align: left; vertical-align: top; }
code { font: .9em ui-monospace, monospace; background: #8882; padding: .1em .3em; border-radius: .2em; }
blockquote { border-left: .25rem solid #8884; margin-left: 0; padding-left: 1rem; }
summary { cursor: pointer; padding: .3rem 0; }
"""


def render_review_page(comment: str) -> str:
    """Return a comment as a whole HTML document without scripts.

    The only HTML that passes is ours: what comes from records stands in code spans, which are escaped.
    """
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(comment)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Review</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>\n{body}</body></html>\n"
    )
