"""Warm kernels: forked from one process that has imported everything, spoken to over a socket that nobody else has.

`forge.py` is that process, `shell.py` what a forked kernel does, `output.py` where it prints to, `wire.py` what passes
between, `kernel.py` how nbclient sees a kernel, and `kernels.py` hands them out.
"""
