"""Exercise control, as the simulator obeys it: its pace, and the injects that were fired.

The simulator is a client like any other: it asks the node over HTTP how the exercise runs and which injects are due,
fires those whose time has come, and lets its clients do what a fired inject means.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aquila.simulator.clock import PlayClock
from aquila.simulator.staff import ActError, Ask

log = logging.getLogger(__name__)

PERSON: Final = "exercise.control"
"""Of the staff, who asks and fires."""

ASK_S: Final = 1.0
"""How often the node is asked."""
WAITING_MAX: Final = 200
"""Fired injects that wait to be played; the oldest goes first."""


class Control:
    """What the play needs to know of exercise control.

    Attributes:
        clock: of the play. fired: words of the injects that are to be played now.
    """

    def __init__(self, clock: PlayClock) -> None:
        self.clock = clock
        self.fired: deque[str] = deque(maxlen=WAITING_MAX)
        self._known: set[str] = set()
        self._is_first = True

    async def look(self, person: str, ask: Ask, clock_ms: Callable[[], int]) -> None:
        """Ask the node once: follow its pace, fire what is due, keep what was fired.

        What was fired before the first look was played before. Raises ActError or OSError without an answer.
        """
        run: dict[str, Any] = await ask(person, "GET", "/exercise", None)
        if self.clock.set(clock_ms(), is_paused=run["state"] == "paused", speed=float(run["pace"])):
            log.info("demo follows exercise control state=%s pace=%s", run["state"], run["pace"])
        for row in await ask(person, "GET", "/exercise/injects", None):
            if not row["plays"] or row["id"] in self._known:
                continue
            is_due = row["state"] == "planned" and row["left_ms"] is not None and row["left_ms"] <= 0
            if is_due and run["state"] == "running":
                await self._fire(person, ask, row)
            elif row["state"] == "fired":
                self._known.add(row["id"])
                if not self._is_first:
                    self.fired.append(row["plays"])
        self._is_first = False

    async def _fire(self, person: str, ask: Ask, row: dict[str, Any]) -> None:
        """Whoever holds the post of exercise control may fire only by hand: then the node refuses, and it waits."""
        try:
            await ask(person, "POST", f"/exercise/injects/{row['id']}/steps", {"action": "fire", "seen": row["heads"]})
        except ActError as why:
            log.debug("inject waits for exercise control inject=%s why=%s", row["title"], why)


async def follow_control(
    control: Control,
    person: str,
    ask: Ask,
    clock_ms: Callable[[], int],
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    """Look again and again until cancelled; a node that does not answer is asked again."""
    while True:
        try:
            await control.look(person, ask, clock_ms)
        except (ActError, OSError) as why:
            log.info("exercise control does not answer why=%s", why)
        await sleep(ASK_S)
