"""Missions: what a group works on together: files, entities, a log, and who may do what (TAK: Data Sync)."""

from aquila.core.feature import Feature
from aquila.features.missions.marti import endpoints
from aquila.features.missions.page import COMMANDS, QUERIES
from aquila.features.missions.view import Mission, Missions

feature = Feature(name="missions", views=(Missions,), queries=QUERIES, commands=COMMANDS, endpoints=endpoints)

__all__ = ["Mission", "Missions", "feature"]
