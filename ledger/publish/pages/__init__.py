"""The pages of the site, one file for each kind, and how values are written on them."""
