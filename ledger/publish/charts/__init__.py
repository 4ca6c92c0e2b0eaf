"""Charts as hand-made SVG, and the figure of drift."""
