"""Sealing: what a run left becomes a record that nobody can change unnoticed."""
