"""What the fusion hears. Kept apart from the fusion itself, whose tools a node without feeds never loads."""

import msgspec

from aquila.core.model import Label, Report
from aquila.core.plot import Plot


class HeardReport(msgspec.Struct, frozen=True):
    """A report, under which label, and when it came."""

    report: Report
    label: Label
    received_at_ms: int


class HeardPlot(msgspec.Struct, frozen=True):
    """A plot, under the label of its feed, and when it came."""

    plot: Plot
    label: Label
    received_at_ms: int


class HeardRemoval(msgspec.Struct, frozen=True):
    """An entity was taken away by its source."""

    entity: str


Heard = HeardReport | HeardPlot | HeardRemoval
