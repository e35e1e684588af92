"""A seeded exercise that enters a node through a real TAK link, as any client would."""

from aquila.simulator.player import play
from aquila.simulator.scenario import Scenario, ScenarioError, names, shipped

__all__ = ["Scenario", "ScenarioError", "names", "play", "shipped"]
