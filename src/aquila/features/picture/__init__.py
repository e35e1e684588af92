"""Picture: who and what is where, by the latest report of every source."""

from aquila.core.feature import Feature
from aquila.core.moves import Moves
from aquila.features.picture.commands import COMMANDS
from aquila.features.picture.drawings import drawing
from aquila.features.picture.layers import Layers, layer, layers
from aquila.features.picture.marti import endpoints
from aquila.features.picture.overlay_export import overlay, overlay_file
from aquila.features.picture.overlays import imports
from aquila.features.picture.past import picture_at
from aquila.features.picture.queries import QUERIES, EntityRow, TrackFix, TrackTable, entity_row
from aquila.features.picture.view import Cell, Picture, Sight

feature = Feature(
    name="picture",
    views=(Picture, Moves, Layers),
    queries=(*QUERIES, picture_at, overlay, overlay_file, layers),
    commands=(*COMMANDS, drawing, imports, layer),
    endpoints=endpoints,
)

__all__ = ["Cell", "EntityRow", "Picture", "Sight", "TrackFix", "TrackTable", "entity_row", "feature"]
