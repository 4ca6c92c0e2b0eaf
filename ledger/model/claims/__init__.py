"""What a document may claim: the table of rules, and what they ask."""
