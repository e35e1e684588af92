"""Incidents: lines with a workflow. Nothing is closed before who had to know was told."""

from aquila.core.feature import Feature
from aquila.features.incidents.commands import log_line_row, step_line_row
from aquila.features.incidents.line import incidents_view
from aquila.features.incidents.queries import QUERIES
from aquila.features.incidents.rules import climb_rule

feature = Feature(
    name="incidents",
    views=(incidents_view,),
    rules=(climb_rule,),
    queries=QUERIES,
    commands=(log_line_row, step_line_row),
)

__all__ = ["feature"]
