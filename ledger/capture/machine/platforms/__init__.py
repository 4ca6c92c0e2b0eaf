"""Where a run ran: schedulers, managed services, rented machines, clouds."""
