"""Pasted error text -> ranked causes. Pure: text in, an explanation out; patterns and words are data beside the code."""

from cargo_runbook.symptoms.explaining import Candidate, Explanation, Statement, explain
from cargo_runbook.symptoms.patterns import CAUSES, UNKNOWN, Book, Pattern, read_patterns, shipped

__all__ = [
    "CAUSES",
    "UNKNOWN",
    "Book",
    "Candidate",
    "Explanation",
    "Pattern",
    "Statement",
    "explain",
    "read_patterns",
    "shipped",
]
