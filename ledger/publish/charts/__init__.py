"""Charts as SVG made by hand, and the figures that matplotlib draws where people ask for them."""
