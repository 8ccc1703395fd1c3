"""The index: what is found in an archive, and fast. It is made from the folders, and can be made anew at any time."""

from cargo_runbook.archive.index.filters import Filter, moment
from cargo_runbook.archive.index.index import Index, Row

__all__ = ["Filter", "Index", "Row", "moment"]
