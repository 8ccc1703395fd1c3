"""Records that leave this machine or come to it: bundles, pages, signatures."""
