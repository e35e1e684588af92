"""What an audience may have of a statement, and its bytes in a format: each decided and made once."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from aquila.core.errors import CodecError
from aquila.core.fanout.outbound import Encode, Release
from aquila.core.fanout.reader import Group, Rights
from aquila.core.fanout.run import LabelClass, Sent
from aquila.core.model import Context, Label, Verdict

CLASSES_MAX = 1_024
"""Distinct labels kept in mind; beyond this those that nothing uses any more are let go."""


class Counts(msgspec.Struct):
    """What the fan-out has done since the start; deliveries are counted per reader.

    Attributes:
        superseded: states that a slow link never got, because a newer one took their place.
        denied, unencodable: by reason.
    """

    delivered: int = 0
    redacted: int = 0
    superseded: int = 0
    replies_dropped: int = 0
    forgotten: int = 0
    denied: Counter[str] = msgspec.field(default_factory=Counter)
    unencodable: Counter[str] = msgspec.field(default_factory=Counter)


class Markings:
    """The label classes in use, each known by one bit."""

    def __init__(self) -> None:
        self.by_bit: dict[int, LabelClass] = {}
        self._classes: dict[tuple[Label, Context], LabelClass] = {}
        self._classes_max = CLASSES_MAX

    def known(self, label: Label, context: Context) -> LabelClass | None:
        """The class of a label in a context; None = it is new."""
        return self._classes.get((label, context))

    @property
    def are_many(self) -> bool:
        """Is it time to let go of those that nothing uses any more?"""
        return len(self._classes) >= self._classes_max

    def add(self, label: Label, context: Context) -> LabelClass:
        """A new class, with the lowest bit that is free."""
        bit = 1
        while bit in self.by_bit:
            bit <<= 1
        marking = LabelClass(bit, label, context)
        self._classes[label, context] = self.by_bit[bit] = marking
        return marking

    def compact(self, used: Iterable[LabelClass], rights: Iterable[Rights]) -> None:
        """Let go of the label classes that nothing uses any more; their bits are free again."""
        kept = set(used)
        gone = 0
        for place, marking in list(self._classes.items()):
            if marking not in kept:
                del self._classes[place]
                del self.by_bit[marking.bit]
                gone |= marking.bit
        for each in rights:
            each.known &= ~gone
            each.full &= ~gone
            each.redacted &= ~gone
            each.reasons = {bit: why for bit, why in each.reasons.items() if not bit & gone}
        self._classes_max = max(CLASSES_MAX, 2 * len(self._classes))


class Forms:
    """Asks policy and codecs, and remembers what they said."""

    def __init__(self, release: Release, encode: Encode, counts: Counts) -> None:
        self.release = release
        self.markings = Markings()
        self._encode = encode
        self._counts = counts

    def form(self, item: Sent, code: int, format: str, verdict: Verdict) -> bytes:
        """The bytes of one statement in one form; b"" = nothing of it can be told."""
        form = item.forms.get(code)
        if form is None:
            try:
                form = self._encode(item.outbound, format, verdict)
            except CodecError as error:
                self._counts.unencodable[error.reason] += 1
                form = b""
            item.forms[code] = form
        return form

    def judged(self, group: Group, item: Sent) -> bytes:
        """The bytes of one statement as this link may have it at this moment; b"" = it may not."""
        rights = group.rights
        bit = item.marking.bit
        if not rights.known & bit:
            self.judge(rights, bit)
        if rights.full & bit:
            return self.form(item, group.code, group.format, Verdict.FULL)
        if rights.redacted & bit:
            return self.form(item, group.code + 1, group.format, Verdict.REDACTED)
        self._counts.denied[rights.reasons[bit]] += 1
        return b""

    def judge(self, rights: Rights, mask: int) -> None:
        """Decide about these label classes, as far as that was not done yet."""
        missing = mask & ~rights.known
        while missing:
            bit = missing & -missing
            missing ^= bit
            marking = self.markings.by_bit[bit]
            decision = self.release(marking.label, marking.context, rights.audience)
            if decision.verdict is Verdict.FULL:
                rights.full |= bit
            elif decision.verdict is Verdict.REDACTED:
                rights.redacted |= bit
            else:
                rights.reasons[bit] = decision.reason
            rights.known |= bit
