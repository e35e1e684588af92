"""Order of battle: who belongs to whom, at any time; what each unit has and may not do."""

from aquila.core.feature import Feature
from aquila.features.orbat.commands import create_unit_row, edit_unit_row, move_unit_row, remove_unit_row
from aquila.features.orbat.exporting import orbat_file
from aquila.features.orbat.importing import COMMANDS as IMPORTS
from aquila.features.orbat.queries import orbat, unit
from aquila.features.orbat.view import orbat_view

feature = Feature(
    name="orbat",
    views=(orbat_view,),
    queries=(orbat, unit, orbat_file),
    commands=(create_unit_row, edit_unit_row, move_unit_row, remove_unit_row, *IMPORTS),
)

__all__ = ["feature"]
