"""The composition root: the only place that knows every part, the wall clock and the dice."""
