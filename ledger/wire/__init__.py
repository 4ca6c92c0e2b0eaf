"""Messages between the hosts of one job: encrypted, authenticated, bounded, and of no meaning here."""
