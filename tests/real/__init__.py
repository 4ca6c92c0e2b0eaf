"""Real trainings by the packages that people use, recorded and looked at box by box; `make real` runs them."""
