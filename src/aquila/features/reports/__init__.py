"""Reports: typed forms as data, drafted from what the node knows, filed, approved, rolled up, printed."""

from aquila.core.feature import Feature
from aquila.features.reports.commands import COMMANDS
from aquila.features.reports.draft import patrol_draft
from aquila.features.reports.queries import QUERIES
from aquila.features.reports.report import reports_view
from aquila.features.reports.rollup_rows import file_rollup_row, rollup

feature = Feature(
    name="reports",
    views=(reports_view,),
    queries=(*QUERIES, patrol_draft, rollup),
    commands=(*COMMANDS, file_rollup_row),
)

__all__ = ["feature"]
