"""Why is it so, when the files say something else? What runs and what is written can differ.

A file was edited and the container not restarted or not made anew: then the file looks right while clients fail.
"""

from __future__ import annotations

from cargo_runbook.facts.installation import InstallationFacts
from cargo_runbook.facts.path import PathFacts
from cargo_runbook.findings import Finding
from cargo_runbook.rules.challenge_source import judge_challenge_source
from cargo_runbook.rules.token_setting import judge_token_setting


def judge_installation(path: PathFacts, facts: InstallationFacts) -> tuple[Finding, ...]:
    """CRG204 to CRG206, and CRG307 to CRG310."""
    return (*judge_challenge_source(path, facts), *judge_token_setting(path, facts))
