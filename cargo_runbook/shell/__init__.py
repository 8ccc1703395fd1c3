"""The questions of a runbook as commands to paste, for those who may not run tools where the questions are asked.

The probes themselves are asked what they would ask: there is no second list of commands that could drift from them.
"""
