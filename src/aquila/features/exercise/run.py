"""Run: what exercise control says of the exercise's clock; the clock itself is `aquila.core.exercise_clock`."""

from typing import Annotated

import msgspec

from aquila.core.exercise_clock import PACE_MAX
from aquila.core.paper_work import Line


class Pause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, in words for everybody; "NO DUFF" says that something real has happened."""

    reason: Line = ""


class Pace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minutes of the exercise for each minute on the wall."""

    pace: Annotated[float, msgspec.Meta(ge=0.1, le=PACE_MAX)]
