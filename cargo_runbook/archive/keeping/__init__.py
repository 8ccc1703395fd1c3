"""Keeping: is everything as it was sealed, and what may go after its time."""
