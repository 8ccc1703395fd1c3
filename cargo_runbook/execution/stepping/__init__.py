"""A notebook that is stepped through by hand: what ran is frozen and kept, and can be stopped on its way."""
