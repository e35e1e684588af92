"""Ending: a mission whose time is over is deleted by the node itself, as an act like any other."""

from collections.abc import Iterator, Mapping

from aquila.core.model import Act, Arrival, Tick
from aquila.core.rule import Proposal, Rule
from aquila.core.view import View, view_of
from aquila.features.missions.view import DELETE, EXPIRATION, Missions, told_members


def end(arrival: Arrival, views: Mapping[str, View]) -> Iterator[Proposal]:
    """The deletion of every mission that has expired; what was put into it stays where it came from."""
    if not isinstance(arrival, Tick):
        return
    for mission in view_of(views, "missions", Missions).expired(arrival.at_ms):
        detail = {"why": "expired"} | told_members(mission)
        act = Act(action=DELETE, target=mission.guid, happened_at_ms=arrival.at_ms, detail=detail)
        cell = mission.cell(EXPIRATION)
        assert cell is not None
        # Once for each expiration that was said: should it be moved on by another node, it ends anew.
        yield Proposal(act, mission.label, key=f"{mission.guid} {cell.said.entry}", cause=cell.said.entry)


end_mission = Rule("mission.end", 1, end, hears=frozenset({"tick"}))
