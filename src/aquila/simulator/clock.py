"""The clock of a play: seconds of the exercise by the wall clock, at a pace that may change and stand still."""


class PlayClock:
    """Seconds of the exercise by the wall clock, at a pace that may change and stand still.

    Args:
        at_ms: UTC now. at_s: what the exercise clock says now. speed: its seconds for each one on the wall, above 0.
    """

    def __init__(self, at_ms: int, at_s: float, speed: float = 1.0) -> None:
        self.speed = speed
        self.is_paused = False
        self._base_ms = at_ms
        self._base_s = at_s

    def now_s(self, at_ms: int) -> float:
        """What the exercise clock says at a moment."""
        return self._base_s if self.is_paused else self._base_s + (at_ms - self._base_ms) * self.speed / 1000.0

    def epoch_ms(self, at_ms: int) -> int:
        """UTC of second 0, as the present pace makes it; in a pause it moves with the wall clock."""
        return round(at_ms - self.now_s(at_ms) * 1000.0 / self.speed)

    def set(self, at_ms: int, *, is_paused: bool, speed: float) -> bool:
        """From now on so; says whether that is a change. Raises ValueError for a speed that is not above 0."""
        if speed <= 0.0:
            raise ValueError(f"speed is {speed}; it must be above 0, 1 is real time")
        if (is_paused, speed) == (self.is_paused, self.speed):
            return False
        self._base_s, self._base_ms = self.now_s(at_ms), at_ms
        self.is_paused, self.speed = is_paused, speed
        return True
