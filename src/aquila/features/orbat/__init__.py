"""Order of battle: who belongs to whom, at any time; what each unit has and may not do."""

from aquila.core.feature import Feature
from aquila.features.orbat.commands import create_unit_row, edit_unit_row, move_unit_row, remove_unit_row
from aquila.features.orbat.queries import orbat, unit
from aquila.features.orbat.view import orbat_view

feature = Feature(
    name="orbat",
    views=(orbat_view,),
    queries=(orbat, unit),
    commands=(create_unit_row, edit_unit_row, move_unit_row, remove_unit_row),
)

__all__ = ["feature"]
