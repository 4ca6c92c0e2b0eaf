"""A fast start for `ledger list`: the same bytes as the ordinary command, from one look into the index.

Agents call `ledger list` in loops, and nearly all of its cost was starting: of 72 ms of CPU click and msgspec take 30,
our own modules 24, git 10, Python itself 8. So it starts in one of three ways, which `ledger.__main__` tries in order:

1. The index is at the tip: this folder reads it with SQLite and nothing else, in 15 ms.
2. The index is behind: this folder first updates it, which loads the model and asks git, but still no click.
3. Anything else (other options, a terminal, anything odd about the repository): the ordinary command.

No other verb has a fast start: the others read records or write, and starting is the smaller part of that.
"""
