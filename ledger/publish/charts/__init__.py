"""Charts as hand-made SVG, and figures that matplotlib draws on request."""
