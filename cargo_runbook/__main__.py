"""`python -m cargo_runbook` is `cargo-runbook`."""

from cargo_runbook.cli.entry import main

if __name__ == "__main__":
    main()
