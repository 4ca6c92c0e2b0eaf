"""What a person or a sweep chose."""
