"""How the GPUs of hosts were used: sums over days, by host, user and hour, in money."""
