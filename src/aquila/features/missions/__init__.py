"""Missions: what a group works on together: files, entities, a log, and who may do what (TAK: Data Sync)."""

from aquila.core.feature import Feature
from aquila.features.missions.ending import end_mission
from aquila.features.missions.marti import endpoints
from aquila.features.missions.page import COMMANDS, QUERIES
from aquila.features.missions.page_members import COMMANDS as MEMBER_COMMANDS
from aquila.features.missions.page_members import QUERIES as MEMBER_QUERIES
from aquila.features.missions.page_work import COMMANDS as WORK_COMMANDS
from aquila.features.missions.page_work import QUERIES as WORK_QUERIES
from aquila.features.missions.view import Mission, Missions

feature = Feature(
    name="missions",
    views=(Missions,),
    rules=(end_mission,),
    queries=(*QUERIES, *WORK_QUERIES, *MEMBER_QUERIES),
    commands=(*COMMANDS, *WORK_COMMANDS, *MEMBER_COMMANDS),
    endpoints=endpoints,
)

__all__ = ["Mission", "Missions", "feature"]
