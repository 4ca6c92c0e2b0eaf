"""The verbs of `ledger dataset`: arguments in, one typed library call, text or JSON out."""
