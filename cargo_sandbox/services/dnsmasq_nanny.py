"""Stand-in for kube-dns' dnsmasq-nanny: runs dnsmasq, and starts it anew when a file of its configuration changes.

    python -m cargo_sandbox.services.dnsmasq_nanny -configDir=DIR [-syncInterval=10s] [-restartDnsmasq=true] -- ARGS

The flags are the nanny's (kubernetes/dns, cmd/dnsmasq-nanny); ARGS go to dnsmasq. As with the real one, every file of
the folder counts, and without -restartDnsmasq=true a change is only logged.
"""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path


def log(line: str) -> None:
    print(line, flush=True)


def state_of(folder: Path) -> str:
    """Digest of all files of the folder. A mounted ConfigMap's files are links that change their target at once."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def main(arguments: list[str]) -> None:
    place = arguments.index("--")
    flags = dict(flag.lstrip("-").partition("=")[::2] for flag in arguments[:place])
    folder = Path(flags["configDir"])
    interval = float(flags.get("syncInterval", "10s").removesuffix("s"))
    restart = flags.get("restartDnsmasq", "false") == "true"
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    seen = state_of(folder)
    command = ["dnsmasq", *arguments[place + 1 :]]
    dnsmasq = subprocess.Popen(command)
    try:
        while dnsmasq.poll() is None:
            time.sleep(interval)
            now = state_of(folder)
            if now == seen:
                continue
            seen = now
            if not restart:
                log("Configuration has changed, dnsmasq is not restarted (restartDnsmasq=false)")
                continue
            log("Restarting dnsmasq with new configuration")
            dnsmasq.kill()
            dnsmasq.wait()
            dnsmasq = subprocess.Popen(command)
    finally:
        dnsmasq.kill()
    sys.exit(f"dnsmasq ended with exit code {dnsmasq.wait()}")


if __name__ == "__main__":
    main(sys.argv[1:])
