"""What can go wrong on a machine, done to the store on purpose. `make faults` prints the figures."""
