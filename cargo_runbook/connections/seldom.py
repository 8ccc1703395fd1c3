"""Libraries that paramiko imports at once and needs seldom; importing this module first puts them off.

They would be a tenth of what a diagnosis takes to start.
"""

from cargo_runbook.light_start import load_when_used

# For `Match exec` in an SSH configuration. It imports unittest.mock and much more.
load_when_used("invoke")
