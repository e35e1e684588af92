"""The typed line: one line of text, in the words of five languages, becomes a draft of fields. Pure and deterministic.

Nothing is guessed in silence: what can be read in two ways is unsure and shows both, what cannot be is refused with a
sentence, and each character belongs to a field or to the remainder. The format is docs/formats/typed_line.md.
"""

from aquila.features.log.line.bare import read_bare
from aquila.features.log.line.dated import read_dated
from aquila.features.log.line.degrees import read_degrees
from aquila.features.log.line.doubts import read_doubts
from aquila.features.log.line.draft import KnownName, LineChoice, LineContext, LineDraft, LinePart
from aquila.features.log.line.grids import read_bare_grids, read_mgrs, read_square, read_utm, read_worded
from aquila.features.log.line.hurts import read_hurts
from aquila.features.log.line.inferred import infer_kind
from aquila.features.log.line.kinds import (
    infer_activity,
    read_activity,
    read_kinds,
    read_precedence,
    read_references,
    read_signal,
)
from aquila.features.log.line.lettered import read_lettered
from aquila.features.log.line.lone import read_lone
from aquila.features.log.line.moves import read_altitude, read_direction, read_height_behind, read_speed
from aquila.features.log.line.named import read_named
from aquila.features.log.line.names import Names
from aquila.features.log.line.negated import read_negated
from aquila.features.log.line.now import read_now
from aquila.features.log.line.own_moves import plain_own_men
from aquila.features.log.line.places import read_offsets
from aquila.features.log.line.posts import infer_post, read_from_post
from aquila.features.log.line.sheet import Sheet
from aquila.features.log.line.sizes import read_short_pairs, read_sizes
from aquila.features.log.line.tasks import read_informed, read_tasks
from aquila.features.log.line.times import read_times
from aquila.features.log.line.who import read_addressees, read_called, read_further_units, read_roll_call, read_unit
from aquila.features.log.line.worded_degrees import read_worded_degrees
from aquila.features.log.line.words import vocabulary

LINE_MAX = 2000
"""Characters of a line; a longer text is a report of its own."""


def parse_line(line: str, context: LineContext) -> LineDraft:
    """Understand one typed line.

    Args:
        line: what was typed, at most LINE_MAX characters.
        context: the clock, the local time, the names and the grid square it is read against.

    Raises:
        ValueError: the line is longer than LINE_MAX.
    """
    if len(line) > LINE_MAX:
        raise ValueError(f"a line of {len(line)} characters: at most {LINE_MAX}; write the rest as remarks of a report")
    words = vocabulary()
    sheet = Sheet(line, context, words)
    names = Names(context.names, words)
    names.reserve(sheet)
    read_hurts(sheet)
    read_negated(sheet, names)
    # What has a shape of its own comes first, so that no number of it is counted or read as a time.
    read_references(sheet)
    read_signal(sheet)
    read_lettered(sheet)
    read_short_pairs(sheet)
    read_utm(sheet)
    read_worded_degrees(sheet)
    read_degrees(sheet)
    read_mgrs(sheet)
    read_dated(sheet)
    read_square(sheet)
    read_worded(sheet)
    read_speed(sheet)
    read_altitude(sheet)
    read_offsets(sheet, names)
    read_times(sheet)
    read_tasks(sheet, names)
    read_informed(sheet, names)
    read_called(sheet, names)
    read_kinds(sheet)
    read_addressees(sheet, names)
    read_unit(sheet, names)
    read_roll_call(sheet, names)
    read_further_units(sheet, names)
    read_from_post(sheet, names)
    read_direction(sheet)
    read_bare(sheet)
    read_now(sheet)
    read_sizes(sheet)
    read_bare_grids(sheet)
    read_named(sheet, names)
    read_height_behind(sheet)
    read_lone(sheet)
    read_precedence(sheet)
    read_activity(sheet)
    infer_activity(sheet)
    infer_kind(sheet)
    plain_own_men(sheet)
    infer_post(sheet, names)
    read_doubts(sheet)
    return sheet.draft()


__all__ = ["LINE_MAX", "KnownName", "LineChoice", "LineContext", "LineDraft", "LinePart", "parse_line"]
