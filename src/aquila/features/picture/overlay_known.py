"""Which drawing a shape of a file is already, and whether the file says of it what is known."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from aquila.core.colours import argb_of_css
from aquila.core.feature import Reading
from aquila.core.ids import entity_id
from aquila.core.model import Verdict
from aquila.features.picture.changes import NEAR_M, is_near
from aquila.features.picture.drawings import Mark
from aquila.features.picture.overlay_export import packed, piece
from aquila.features.picture.overlay_files import Format, Found, Pairs, Shape, shapes_of, shapes_of_features
from aquila.features.picture.queries import picture_of
from aquila.features.picture.view import LAYER, Sight

NAME_LETTERS, REMARKS_LETTERS = 100, 4000
"""What is kept of longer ones."""
STARTS_MAX = 8
"""Corners of a ring that lie where another ring begins: more are no area that anybody drew, and each costs a round."""


class KnownDrawings:
    """What stands on the picture that the reader may have in full, to be compared with the shapes of a file.

    A drawing is compared as a file of the same format would say it: what the format has no word for is no change.
    """

    def __init__(self, format: Format, found: Iterable[Found], reading: Reading) -> None:
        self._format, self._reading = format, reading
        self._alike: dict[str, list[Shape]] = {}
        names = {one.name for one in found if isinstance(one, Shape) and one.uid is None}
        picture = picture_of(reading)
        for entity in picture.entities() if names else ():
            sight = self._sight(entity)
            if sight is not None and sight.report.name in names and _is_drawn(sight):
                said = self._said(sight)
                if said is not None:
                    self._alike.setdefault(said.name, []).append(said)

    def of(self, uid: str) -> Sight | None:
        """What has this uid; None = nothing that the reader may have."""
        return self._sight(entity_id("cot", uid))

    def has(self, one: Shape, sight: Sight | None) -> bool:
        """Is what the shape says known: of `sight`, which has its uid, or, without a uid, of any drawing?"""
        said = None if sight is None else self._said(sight)
        if said is not None and says_the_same(said, one):
            return True
        return one.uid is None and any(says_the_same(each, one) for each in self._alike.get(one.name, ()))

    def _sight(self, entity: str) -> Sight | None:
        sight = picture_of(self._reading).sight(entity, self._reading.release, self._reading.policy)
        return sight if sight is not None and sight.verdict is Verdict.FULL else None

    def _said(self, sight: Sight) -> Shape | None:
        """The drawing as it comes back from a file; None = the format cannot say it."""
        now_ms = self._reading.now_ms()
        if self._format == "gpkg":
            feature = packed(sight, "", now_ms)
            found = list(shapes_of_features([feature])) if feature["geometry"] is not None else []
        else:
            format = "kml" if self._format == "kmz" else self._format
            text = piece(sight.report, sight.label, format, now_ms)
            found = list(shapes_of(format, _WHOLE[format](text).encode())) if text else []
        return next((each for each in found if isinstance(each, Shape)), None)


_WHOLE: Mapping[str, Any] = {
    "geojson": lambda text: text,
    "kml": lambda text: f"<kml>{text}</kml>",
    "gpx": lambda text: f"<gpx>{text}</gpx>",
}


def _is_drawn(sight: Sight) -> bool:
    return sight.report.category == "drawing" or LAYER in sight.report.fields


def says_the_same(known: Shape, told: Shape) -> bool:
    """Do both say the same? Figures may be rounded, and corners of an area begin elsewhere or go the other way."""
    return (
        known.shape == told.shape
        and known.name[:NAME_LETTERS] == told.name[:NAME_LETTERS]
        and _same_places(known, told)
        and abs((known.radius_m or 0) - (told.radius_m or 0)) < NEAR_M
        and told.sidc in (None, known.sidc)
        and (_argb(known.stroke), _argb(known.fill)) == (_argb(told.stroke), _argb(told.fill))
        and (known.remarks or "")[:REMARKS_LETTERS] == (told.remarks or "")[:REMARKS_LETTERS]
        and _look(known) == _look(told)
    )


def asked_look(one: Shape) -> dict[str, str]:
    """Shape and mark by what our own export said; a word that does not fit the shape is passed over."""
    if one.shape == "point" and one.drawn == "text":
        return {"shape": "text"}
    if one.shape == "point" and one.drawn is not None and one.drawn in get_args(Mark):
        return {"mark": one.drawn}
    if one.shape == "line" and one.drawn == "bearing" and len(one.points) == 2:
        return {"shape": "bearing"}
    return {}


def _look(one: Shape) -> dict[str, str]:
    """A point of which nothing is said is a dot."""
    look = asked_look(one)
    return {} if look == {"mark": "dot"} else look


def _argb(css: str | None) -> int | None:
    return None if css is None else argb_of_css(css)


def _same_places(known: Shape, told: Shape) -> bool:
    a, b = known.points, told.points
    if len(a) != len(b):
        return False
    if known.shape != "polygon":
        return _all_near(a, b)
    return any(_all_near(a, (*ring[at:], *ring[:at])) for ring in (b, b[::-1]) for at in _starts(a, ring))


def _starts(a: Pairs, ring: Pairs) -> Sequence[int]:
    """Where a ring may begin to be `a`."""
    return [at for at, place in enumerate(ring) if a and is_near(a[0], place)][:STARTS_MAX]


def _all_near(a: Pairs, b: Pairs) -> bool:
    return all(is_near(one, other) for one, other in zip(a, b, strict=True))
