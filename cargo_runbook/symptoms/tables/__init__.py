"""The patterns: data, a file for each kind of cause."""
