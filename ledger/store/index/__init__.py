"""The index of a ledger: questions, orders and boards, answered without reading every record."""
