"""One tick: what was published since the last one, in an order nobody can object to, and the buffers made of it."""

from collections.abc import Hashable, Iterable, Iterator

from aquila.core.contacts import LinkId
from aquila.core.fanout.forms import Forms
from aquila.core.fanout.reader import Group, Reader
from aquila.core.fanout.run import Piece, Sent, Shared, number_of
from aquila.core.model import Verdict


class Runs:
    """What was published, each source one run. A new segment begins where the order between sources matters.

    Attributes:
        mask: bits of all label classes in it; 0 = nothing was published.
    """

    def __init__(self) -> None:
        self.mask = 0
        self.segments: list[dict[LinkId | None, list[Sent]]] = [{}]
        self._told: dict[Hashable, LinkId | None] = {}

    def add(self, item: Sent) -> None:
        """Take one in."""
        outbound, source = item.outbound, item.source
        ordered = outbound.statement
        if outbound.key is not None:
            # Two sources tell of one entity in one tick: whoever spoke last must be last.
            ordered = ordered or self._told.get(outbound.key, source) != source
            self._told[outbound.key] = source
        self.mask |= item.marking.bit
        segment = self.segments[-1]
        run = segment.get(source)
        if ordered and segment and (run is None or len(segment) > 1):
            segment = {}
            self.segments.append(segment)
            run = None
        if run is None:
            segment[source] = [item]
        else:
            run.append(item)

    def cut(self) -> None:
        """What comes from now on stands behind what came before, whoever says it."""
        if self.segments[-1]:
            self.segments.append({})

    def items(self) -> Iterator[Sent]:
        """All of them, in the order in which they leave."""
        for segment in self.segments:
            for run in segment.values():
                yield from run


class Missed:
    """The states that links of one group missed who are behind since the same tick: joined once for all of them.

    Attributes:
        told: entity -> who told of it; None = several did, or the node itself.
    """

    __slots__ = ("runs", "shared", "told")

    def __init__(self, forms_of: Forms, group: Group, states: Iterable[Sent]) -> None:
        self.runs = runs = Runs()
        self.told: dict[Hashable, LinkId | None] = {}
        for item in states:
            key, source = item.outbound.key, item.source
            self.told[key] = source if self.told.get(key, source) == source else None
            runs.mask |= item.marking.bit
            # In the order of their numbers, as a link gets them that catches up alone.
            if source not in runs.segments[-1]:
                runs.segments.append({source: []})
            runs.segments[-1][source].append(item)
        rights = group.rights
        forms_of.judge(rights, runs.mask)
        full, redacted = rights.full & runs.mask, rights.redacted & runs.mask
        self.shared = share(forms_of, runs, group.code, full, redacted, group.format)


def share(
    forms_of: Forms,
    runs: Runs,
    code: int,
    full: int,
    redacted: int,
    format: str,
) -> Shared:
    """Join the runs that these rights may see, and note where each sender's own stand."""
    shared = Shared()
    forms, items = shared.forms, shared.items
    size = 0
    for segment in runs.segments:
        for source, run in segment.items():
            first_byte, first = size, len(forms)
            for item in run:
                bit = item.marking.bit
                if full & bit:
                    form = item.forms.get(code)
                    if form is None:
                        form = forms_of.form(item, code, format, Verdict.FULL)
                elif redacted & bit:
                    form = forms_of.form(item, code + 1, format, Verdict.REDACTED)
                    shared.redacted_count += 1
                else:
                    continue
                if form:
                    forms.append(form)
                    items.append(item)
                    size += len(form)
                    if item.statement:
                        shared.statements.append(item)
            if source is not None and size > first_byte:
                span = (first_byte, size, first, len(forms))
                shared.spans.setdefault(source, []).append(span)
    shared.data = b"".join(forms)
    shared.states = len(forms) - len(shared.statements)
    return shared


def compose(forms_of: Forms, reader: Reader, shared: Shared, addressed: list[Sent]) -> list[Piece]:
    """A batch for one link: what all may have, without its own, and what is for it by name."""
    pieces: list[Piece] = [
        (form, item) for form, item in zip(shared.forms, shared.items, strict=True) if item.source != reader.id
    ]
    for item in addressed:
        form = forms_of.judged(reader.group, item)
        if not form:
            continue
        # Its publishing began a new segment, so what stands before it was published before it.
        at = len(pieces)
        while at and number_of(pieces[at - 1]) > item.number:
            at -= 1
        pieces.insert(at, (form, item))
    return pieces
