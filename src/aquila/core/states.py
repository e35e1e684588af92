"""State tables: which step may follow which, written once as data; the table checks, refolds and documents itself.

Two desks may take steps without having heard of each other. So a state is never stored: it is refolded from all steps
in their total order, and a step that the table does not allow at its place is listed, not lost.
"""

from collections.abc import Iterable

import msgspec

from aquila.core.errors import Refused

ANY = "*"
"""From whatever state."""


class Move(msgspec.Struct, frozen=True):
    """One line of a state table.

    Attributes:
        action: the verb that a step names.
        came: states in which it may be taken; ("*",) = in all.
        goes: the state after it; None = it stays as it was.
        who: who may take it, in words for people; the feature's commands check it.
    """

    action: str
    came: tuple[str, ...]
    goes: str | None
    who: str = ""


class States(msgspec.Struct, frozen=True):
    """The states of one kind of thing.

    Attributes:
        name: of the thing, in the singular, for sentences: "task".
        first: the state before any step.
        last: states that nothing leaves.
    """

    name: str
    first: str
    moves: tuple[Move, ...]
    last: tuple[str, ...] = ()

    def allowed(self, state: str) -> tuple[str, ...]:
        """The actions that may be taken in this state."""
        return tuple(move.action for move in self.moves if self._fits(move, state))

    def check(self, state: str, action: str) -> Refused | None:
        """None = the action may be taken now; else a sentence that says what may be done instead."""
        if any(move.action == action and self._fits(move, state) for move in self.moves):
            return None
        can = ", ".join(dict.fromkeys(self.allowed(state))) or "nothing more"
        return Refused("state", f"{self.name} is {state}: {action} is not possible now, but {can}")

    def after(self, state: str, action: str) -> str | None:
        """The state after this action; None = it may not be taken in this state."""
        for move in self.moves:
            if move.action == action and self._fits(move, state):
                return state if move.goes is None else move.goes
        return None

    def run(self, actions: Iterable[str]) -> tuple[str, tuple[int, ...]]:
        """The state after these actions in order, and the places (from 0) of those that were not possible."""
        state, refused = self.first, []
        for place, action in enumerate(actions):
            goes = self.after(state, action)
            if goes is None:
                refused.append(place)
            else:
                state = goes
        return state, tuple(refused)

    def states(self) -> tuple[str, ...]:
        """All states, in the order in which the table names them."""
        named = [self.first]
        for move in self.moves:
            named += [state for state in move.came if state != ANY] + ([move.goes] if move.goes else [])
        return tuple(dict.fromkeys([*named, *self.last]))

    def to_markdown(self) -> str:
        """The table as documentation shows it."""
        lines = ["| step | from | to | who |", "|---|---|---|---|"]
        for move in self.moves:
            came = "any" if ANY in move.came else ", ".join(move.came)
            lines.append(f"| {move.action} | {came} | {move.goes or 'stays'} | {move.who} |")
        return "\n".join(lines) + "\n"

    def _fits(self, move: Move, state: str) -> bool:
        if state in self.last:
            return state in move.came
        return state in move.came or ANY in move.came
