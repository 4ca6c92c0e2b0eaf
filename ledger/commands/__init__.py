"""One file per verb: arguments in, one typed library call, text or JSON out."""
