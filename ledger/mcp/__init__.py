"""The ledger for agents: tools of the Model Context Protocol, read-only unless asked otherwise."""
