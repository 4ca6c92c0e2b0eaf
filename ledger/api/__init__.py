"""The ledger as an object of the user's: each method is what the command of that name calls."""
