"""Errors of the sandbox, as sentences."""

from __future__ import annotations

from cargo_runbook.errors import RunbookError


class SandboxUnavailable(RunbookError):
    """The sandbox can't run on this computer, or isn't running."""


class SandboxFailed(RunbookError):
    """A part of the sandbox did not do what it should."""

    exit_code = 3


class UnknownFault(RunbookError):
    """No fault has that name."""
