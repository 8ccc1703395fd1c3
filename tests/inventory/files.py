"""A file of an environment without mistakes."""

from __future__ import annotations

GOOD = """\
stage: production
domain: cargo.example.com
ca: ca.crt
hosts:
  - name: cargo-1
    address: 192.0.2.14
accounts:
  - username: admin
    kind: admin
    password: env:CARGO_ADMIN
kubernetes:
  context: prod
"""
