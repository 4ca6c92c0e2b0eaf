"""Publication of the ledger as a static site. The only room that uses MkDocs, Jinja2, Pygments and matplotlib."""
