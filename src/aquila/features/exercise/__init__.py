"""Exercise: exercise control runs the exercise's clock and brings its injects into play."""

from aquila.core.feature import Feature
from aquila.features.exercise.work import COMMANDS, QUERIES, exercise_view

feature = Feature(name="exercise", views=(exercise_view,), queries=QUERIES, commands=COMMANDS)

__all__ = ["feature"]
