"""Tasks: what one addressee is to do, with conditions that the node watches against positions and the journal."""

from aquila.core.feature import Feature
from aquila.features.tasks.commands import COMMANDS
from aquila.features.tasks.from_order import order_rule
from aquila.features.tasks.heard import TaskHeard
from aquila.features.tasks.queries import QUERIES
from aquila.features.tasks.rules import judge_rule
from aquila.features.tasks.spoken import RULES as SPOKEN
from aquila.features.tasks.view import tasks_view

feature = Feature(
    name="tasks",
    views=(tasks_view, TaskHeard),
    rules=(order_rule, judge_rule, *SPOKEN),
    queries=QUERIES,
    commands=COMMANDS,
)

__all__ = ["feature"]
