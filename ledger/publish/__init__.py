"""Turns what the ledger says into a static site. The only room of MkDocs, Jinja2, Pygments and matplotlib."""
