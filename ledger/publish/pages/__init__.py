"""The pages of the site, one file for each kind, and the formatting of values on them."""
