"""Release: the one way out of the web. Every row passes here, whatever query gave it, with the policy in force now."""

from collections.abc import Iterable, Iterator
from typing import Any

from aquila.core.feature import Labelled
from aquila.core.model import Audience, Context, Label, Principal, Verdict, audience_of
from aquila.core.policy import Decision, Policy, release

CACHE_MAX = 20_000


class Releaser:
    """The decisions of one policy epoch for one class of readers, each made once.

    Args:
        policy: the one in force; a new epoch needs a new Releaser.
        reader: the principal or the audience that asks.
    """

    def __init__(self, policy: Policy, reader: Principal | Audience) -> None:
        self.policy = policy
        self.audience = audience_of(reader) if isinstance(reader, Principal) else reader
        self._known: dict[tuple[Label, Context], Decision] = {}

    def __call__(self, label: Label, context: Context) -> Decision:
        """May this class of readers have a row under this label?"""
        key = (label, context)
        decision = self._known.get(key)
        if decision is None:
            decision = release(self.policy, label, context, self.audience)
            if len(self._known) >= CACHE_MAX:
                self._known.clear()
            self._known[key] = decision
        return decision

    def form(self, row: Labelled) -> Any:  # the row type of whatever query
        """The form of a row that this reader may have; None = nothing."""
        if row.label is None:
            return row.full
        verdict = self(row.label, row.context).verdict
        if verdict is Verdict.FULL:
            return row.full
        return row.redacted if verdict is Verdict.REDACTED else None

    def forms(self, rows: Iterable[Labelled], limit: int | None) -> Iterator[Any]:
        """What may leave of these rows, at most `limit` of them: counted after release, never before."""
        left = limit
        for row in rows:
            if left == 0:
                return
            form = self.form(row)
            if form is not None:
                left = None if left is None else left - 1
                yield form
