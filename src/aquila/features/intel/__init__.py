"""Intelligence work: reports are graded, subjects kept with sourced claims, persons sealed, collection planned."""

from aquila.core.feature import Feature
from aquila.features.intel.collect import plan_queries, plan_rows
from aquila.features.intel.commands import subject_rows
from aquila.features.intel.grade import grade_row
from aquila.features.intel.queries import subject_queries
from aquila.features.intel.view import Intel

feature = Feature(
    name="intel",
    views=(Intel,),
    queries=(*subject_queries, *plan_queries),
    commands=(grade_row, *subject_rows, *plan_rows),
)

__all__ = ["feature"]
