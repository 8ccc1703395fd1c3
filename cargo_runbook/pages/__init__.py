"""The archive in a browser: `cargo-runbook records serve`. Loopback and token only, and no script anywhere."""
