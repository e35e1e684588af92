"""Alerts: who entered, left or stays where he should not, who has fallen silent, who calls for help."""

from aquila.core.feature import Feature
from aquila.features.alerts.commands import alert_commands
from aquila.features.alerts.queries import alert_queries
from aquila.features.alerts.rules import emergency_rule, removed_rule, watch_rule
from aquila.features.alerts.view import Alerts

feature = Feature(
    name="alerts",
    views=(Alerts,),
    rules=(watch_rule, removed_rule, emergency_rule),
    queries=alert_queries,
    commands=alert_commands,
)

__all__ = ["feature"]
