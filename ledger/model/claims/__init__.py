"""The rules on what a document may claim."""
