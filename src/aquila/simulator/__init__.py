"""A seeded exercise that enters a node through a real TAK link, as any client would."""

from aquila.simulator.player import play
from aquila.simulator.scenario import Scenario, ScenarioError, names, shipped
from aquila.simulator.staff import ActError, play_staff

__all__ = ["ActError", "Scenario", "ScenarioError", "names", "play", "play_staff", "shipped"]
