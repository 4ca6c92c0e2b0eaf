"""The site as a whole: what is built, where it is written, how it is served."""
