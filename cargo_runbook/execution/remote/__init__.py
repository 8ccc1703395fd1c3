"""Runs of a batch on the workers of a Dask cluster.

`order.py` is what goes there and what comes back, `worker.py` what a worker does, `cluster.py` the side that submits: it
keeps the book, seals the records, and stops runs. Only `cluster.py` and `worker.py` know Dask.
"""
