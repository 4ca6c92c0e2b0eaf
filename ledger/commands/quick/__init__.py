"""`ledger list` without the start of everything else: the same bytes, from one look into the index.

Agents ask for the list in loops, and nearly all of it was starting: of 72 ms of CPU click and msgspec take 30, our own
modules 24, git 10, Python itself 8. `ledger.__main__` tries this folder first; it loads SQLite and nothing else, and
takes 15 ms. What it does not know for certain it leaves to the ordinary command: other options, a terminal, an index
that is behind, anything odd about the repository. Only `list` has such a way: of the other verbs, which read records or
write, starting is the smaller part.
"""
