"""The ten boxes that every run record answers, and the types of their fields.

A box that could not be captured, wholly or in part, says so in `unknown`: the name of the field
(`all` for the whole box) and why.
"""
