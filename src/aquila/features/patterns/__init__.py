"""Patterns: who stops, loiters, meets, goes along with another, falls silent or jumps, with evidence and a verdict."""

from aquila.core.feature import Feature
from aquila.features.patterns.activity import activity_queries
from aquila.features.patterns.commands import pattern_commands
from aquila.features.patterns.queries import pattern_queries
from aquila.features.patterns.rules import pattern_rule
from aquila.features.patterns.view import Patterns

feature = Feature(
    name="patterns",
    views=(Patterns,),
    rules=(pattern_rule,),
    queries=(*pattern_queries, *activity_queries),
    commands=pattern_commands,
)

__all__ = ["feature"]
