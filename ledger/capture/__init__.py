"""One probe per box of the record; a probe that cannot learn something says why instead of raising."""
