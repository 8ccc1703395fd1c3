"""Runs the program that standard input names, so that its command line does not tell what it is.

`echo 'PROGRAM ARGUMENT...' | python unnamed.py`, where PROGRAM is a file `NAME.py` of this folder or a module. `ps` is
among what one looks at on a game day, and a process called failing_dns.py would be the answer.
"""

from __future__ import annotations

import runpy
import shlex
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    words = shlex.split(sys.stdin.readline())
    # Modules as from the folder of the packages; this folder is none of them.
    sys.path[0] = str(HERE.parents[1])
    sys.argv = words
    if words[0].endswith(".py"):
        runpy.run_path(str(HERE / words[0]), run_name="__main__")
    else:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
