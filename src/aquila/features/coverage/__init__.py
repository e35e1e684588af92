"""Coverage: where nobody has looked for how long, and what terrain hides from a place."""

from aquila.core.feature import Feature
from aquila.features.coverage.queries import coverage_queries
from aquila.features.coverage.view import Coverage

feature = Feature(name="coverage", views=(Coverage,), queries=coverage_queries)

__all__ = ["feature"]
