"""What is to leave, and where an addressed statement goes."""

from collections.abc import Callable, Hashable

import msgspec

from aquila.core.contacts import LinkId
from aquila.core.model import Address, Audience, Body, Context, Label, Original, Verdict
from aquila.core.policy import Decision


class Outbound(msgspec.Struct, frozen=True, kw_only=True):
    """Something admitted (and, if it is a statement, committed) that may leave.

    Attributes:
        id: of the entry or the sample, for whoever asks what did not go out.
        source: the link it came by, which gets no echo; None = born here.
        key: the entity whose state this is: newcomers get the newest, older ones are replaced. None = no state.
        statement: reaches everyone who may have it, over slow links too; False = only the newest counts.
        to: named addressees; empty = everyone who may have it.
        stale_at_ms: after this nobody is told any more; None = never.
    """

    id: str
    body: Body
    label: Label
    context: Context
    source: LinkId | None = None
    key: Hashable | None = None
    statement: bool = True
    to: tuple[Address, ...] = ()
    original: Original | None = None
    stale_at_ms: int | None = None


class Reach(msgspec.Struct, frozen=True):
    """Where an addressed statement goes: links that get it, and addressees that nobody answers for."""

    links: tuple[LinkId, ...] = ()
    unreachable: tuple[Address, ...] = ()


EVERYONE = Reach()


Release = Callable[[Label, Context, Audience], Decision]
Encode = Callable[[Outbound, str, Verdict], bytes]
"""Bytes of one statement in a format, FULL or REDACTED; b"" = nothing of it can be told. May raise CodecError."""
