"""A seeded exercise that enters a node through a real TAK link, as any client would."""

from aquila.simulator.clock import PlayClock
from aquila.simulator.control import Control, follow_control
from aquila.simulator.player import play
from aquila.simulator.scenario import Scenario, ScenarioError, names, shipped
from aquila.simulator.staff import ActError, play_staff

__all__ = [
    "ActError",
    "Control",
    "PlayClock",
    "Scenario",
    "ScenarioError",
    "follow_control",
    "names",
    "play",
    "play_staff",
    "shipped",
]
