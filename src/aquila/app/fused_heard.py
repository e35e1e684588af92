"""What the fusion hears. Kept apart from the fusion itself, whose tools a node without feeds never loads."""

import msgspec

from aquila.core.model import Label, Report
from aquila.core.plot import Plot


class HeardReport(msgspec.Struct, frozen=True):
    """A report, under which label, when it came, and by which feed (empty = by none)."""

    report: Report
    label: Label
    received_at_ms: int
    feed: str = ""


class HeardPlot(msgspec.Struct, frozen=True):
    """A plot, under the label of its feed, when it came, and the name of the feed."""

    plot: Plot
    label: Label
    received_at_ms: int
    feed: str = ""


class HeardRemoval(msgspec.Struct, frozen=True):
    """An entity was taken away by its source."""

    entity: str


Heard = HeardReport | HeardPlot | HeardRemoval
