"""One runbook over many environments: which run starts when, what came of each, and what that says in all.

`queue.py` decides what may start, `book.py` keeps what happened on the disk, `runner.py` runs, `plan.py` says what is
(still) to be done, `summary.py` makes the matrix and the groups. Only `runner.py` touches kernels.
"""
