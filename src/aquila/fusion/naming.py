"""Public track numbers: given at the first showing, to the plot a track began with, and never to another."""

import numpy as np

from aquila.fusion.tracker import Picture, Tracker

SPARE = 20_000


class Numbers:
    """Small whole numbers for people. A replay that shows the same track again shows it under the same number."""

    def __init__(self) -> None:
        self._number: dict[tuple[float, int], int] = {}
        self._next = 1

    def of(self, picture: Picture) -> list[int]:
        """The number of every row of a picture."""
        numbers: list[int] = []
        for born in zip(picture.born_t.tolist(), picture.born_n.tolist(), strict=True):
            number = self._number.get(born)
            if number is None:
                number = self._number[born] = self._next
                self._next += 1
            numbers.append(number)
        return numbers

    def forget(self, tracker: Tracker, before_s: float) -> None:
        """Drop numbers of tracks that are gone and began before `before_s`: no replay can bring them back."""
        if len(self._number) <= SPARE + 2 * tracker.n:
            return
        rows = slice(0, tracker.n)
        alive = set(zip(tracker.born_t[rows].tolist(), tracker.born_n[rows].tolist(), strict=True))
        self._number = {born: number for born, number in self._number.items() if born in alive or born[0] >= before_s}

    def born(self, number: int) -> tuple[float, int] | None:
        """What a number stands for, or None when it was never given or is forgotten."""
        return next((born for born, given in self._number.items() if given == number), None)


def row_of(tracker: Tracker, born: tuple[float, int]) -> int | None:
    """The row of a living track, or None."""
    rows = np.flatnonzero((tracker.born_t[: tracker.n] == born[0]) & (tracker.born_n[: tracker.n] == born[1]))
    return int(rows[0]) if len(rows) else None
