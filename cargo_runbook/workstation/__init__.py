"""Is this computer able to run the runbooks, and if not, what is to be typed? `doctor` is its command."""
