"""A post that was not told, or did not acknowledge, in time: the line climbs to the post above."""

from collections.abc import Iterator, Mapping

from aquila.core.model import Arrival, Paper, Tick
from aquila.core.paper_work import WatchedPapers
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View, view_of
from aquila.features.incidents.line import LINE, post_rules, tellings_of


def climb(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """One step up for each overdue telling, once."""
    if not isinstance(arrival, Tick):
        return
    rules = post_rules()
    for thing in view_of(views, "incidents", WatchedPapers).watched():
        tellings = tellings_of(thing)
        asked = {each.role for each in tellings}
        for each in tellings:
            above = rules.next_above(each.role)
            if each.ack_at_ms is not None or each.due_ms > arrival.at_ms or above is None or above in asked:
                continue
            within_ms = rules.tell_within_ms[str(thing.get("precedence", "R"))]
            paper = Paper(
                type=LINE,
                target=thing.id,
                action="climb",
                happened_at_ms=arrival.at_ms,
                fields={f"tell.{above}": arrival.at_ms + within_ms},
                seen=thing.heads(),
                summary=f"{each.role} has not acknowledged: {above} must be told".replace("_", " "),
            )
            yield Proposal(paper, thing.first.label, key=f"climb {thing.id} {above}", cause=thing.newest.entry)


climb_rule = Rule("incidents.climb", 1, climb, hears=frozenset({"tick"}))
