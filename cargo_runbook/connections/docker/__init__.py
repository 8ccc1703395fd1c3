"""What only looks is asked of dockerd itself, over its socket, where docker's client would be started for each question.

The question stays the command that an engineer can type, and what comes back is what that command prints. Where dockerd
can't be asked so, or answers anything but what was expected, the command itself runs and says why in its own words.
"""
