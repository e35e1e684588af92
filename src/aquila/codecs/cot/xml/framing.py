"""A byte framer with limits: cuts one incoming stream into events, wherever the network cut it."""

import re
from collections.abc import Iterator
from typing import Final

from aquila.codecs.cot.xml.possessive import possessive
from aquila.codecs.cot.xml.reading import decode_event, decode_tree
from aquila.codecs.cot.xml.skeleton import LEARNING_COST, Skeletons, Tree
from aquila.codecs.cot.xml.tree import EVENT_BYTES_MAX
from aquila.core.codec import Control, Decoded
from aquila.core.errors import CodecError

LOST_BYTES_MAX: Final = 1 << 20
HEADER_BYTES_MAX: Final = 1024

_WHITE: Final = b" \t\r\n\xef\xbb\xbf"
"""White space between documents, and the byte order mark that some writers put first."""

# A start tag whole. `<` is legal in no attribute value, so that a lost end can never swallow the
# next event.
_START_TAG = possessive(rb"""<event(?=[\s/>])[^"'<>]*+(?:"[^"<]*+"[^"'<>]*+|'[^'<]*+'[^"'<>]*+)*+>""")
_PLAIN_TAG_BYTES: Final = 1024
"""A start tag this short without single quotes needs no pattern: its first `>` behind whole values ends it."""
_OUTSIDE_QUOTES = re.compile(rb"""["'<>]""")
_INSIDE_QUOTES = {0x22: re.compile(rb'["<]'), 0x27: re.compile(rb"['<]")}
_START = re.compile(rb"<event[\s/>]")
_END_OR_START = re.compile(rb"</event\s{0,64}>|<event[\s/>]")
_CUT_SHORT = re.compile(rb"<(?:/?e?|/?ev|/?eve|/?even|event|/event\s{0,64})\Z")
_CUT_SHORT_BYTES: Final = 72
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_ENCODINGS: Final = frozenset({b"utf-8", b"us-ascii", b"ascii"})
_OPENINGS: Final = (b"<event ", b"<?xml ", b"<auth>")

Read = Decoded | Control | CodecError


class XmlDecoder:
    """One incoming stream of CoT XML. What it answers does not depend on where the network cuts.

    A small machine of four states, each a method that gives whether it got any further. `_start` is
    where the event at hand begins in `_buffer`, `_at` is where its search goes on, so that no byte
    is searched twice. `learning_credit` is 0 where a decoder lives for one event only. See xml.skeleton.
    """

    broken: bool = False

    def __init__(self, learning_credit: int = LEARNING_COST) -> None:
        self._skeletons = Skeletons(learning_credit)
        self._buffer: bytes | bytearray = b""
        self._text = ""  # While it reads: the buffer, one character a byte.
        self._start = 0
        self._at = 0
        self._step = self._between
        self._quote = 0  # In a start tag that the network cut: the quote that is open, 0 = none.
        self._lost_bytes = 0  # Bytes since the last end of an event that led to none.
        self._refusal: CodecError | None = None  # What stood before the next event forbids it.
        self._auth_may_come = True
        self._found: list[Read] = []

    def feed(self, data: bytes) -> Iterator[Decoded | CodecError]:
        """Bodies and errors of what is complete; what concerns the connection only is left out."""
        return (one for one in self.read(data) if not isinstance(one, Control))

    def read(self, data: bytes) -> list[Read]:
        """Like feed, with controls. It stops behind a protocol request: see rest()."""
        if self.broken:
            return []
        if self._buffer:
            self._buffer += data
        else:
            self._buffer = data
        self._text = self._buffer.decode("latin-1")
        while self._step():
            pass
        self._text = ""
        self._forget()
        found, self._found = self._found, []
        return found

    def rest(self) -> bytes:
        """Takes out the bytes that were not read yet, for a decoder of another format."""
        rest = bytes(self._buffer)
        self._buffer = b""
        self._start = self._at = 0
        return rest

    def _forget(self) -> None:
        """Drop what is done with from the buffer."""
        done = self._start
        if done == len(self._buffer):
            self._buffer = b""
        elif isinstance(self._buffer, bytearray):
            del self._buffer[:done]
        else:
            self._buffer = bytearray(memoryview(self._buffer)[done:])
        self._start = 0
        self._at -= done

    def _between(self) -> bool:
        """Between events: white space, an XML header, once an <auth> document, or an event."""
        buffer, at = self._buffer, self._start
        size = len(buffer)
        while at < size and buffer[at] in _WHITE:
            at += 1
        self._start = self._at = at
        if self._refusal is None and (known := self._skeletons.next(self._text, at)) is not None:
            return self._finish(*known)
        head = bytes(buffer[at : at + 7])
        if len(head) == 7 and head[:6] == b"<event" and head[6] in b" \t\r\n/>":
            self._step = self._in_tag
            return True
        if len(head) < 7 and any(opening.startswith(head[:6]) for opening in _OPENINGS):
            return False
        if head[:5] == b"<?xml":
            return self._skip(b"?>", HEADER_BYTES_MAX)
        if head[:6] == b"<auth>" and self._auth_may_come:
            return self._skip(b"</auth>", 4 * HEADER_BYTES_MAX)
        if head[:2] == b"<!":
            self._lose(CodecError("dtd", "<! is not allowed: no DTD, entity, comment or CDATA"))
            self._refusal = CodecError("dtd", "an event behind a DTD")
            return True
        return self._lose(CodecError("syntax", f"{head!r}: an event is expected"))

    def _skip(self, end: bytes, bytes_max: int) -> bool:
        """Pass over a header or an <auth> document."""
        buffer, start = self._buffer, self._start
        at = buffer.find(end, start, start + bytes_max)
        if at < 0:
            if len(buffer) - start < bytes_max:
                return False
            return self._lose(CodecError("oversize", f"{end!r} is expected within {bytes_max} bytes"))
        if end == b"?>":
            encoding = _ENCODING.search(bytes(buffer[start:at]))
            if encoding is not None and encoding[1].lower() not in _ENCODINGS:
                self._refusal = CodecError("encoding", "the XML header does not say UTF-8")
        else:
            self._auth_may_come = False
            self._found.append(Control("auth"))
        self._start = self._at = at + len(end)
        return True

    def _in_tag(self) -> bool:
        """In the start tag: find its end outside quotes; one that closes itself is an event."""
        buffer, start = self._buffer, self._start
        if self._at == start:
            at = buffer.find(b">", start, start + _PLAIN_TAG_BYTES)
            if (
                at > 0
                and not buffer.count(b'"', start, at) & 1
                and buffer.find(b"'", start, at) < 0
                and buffer.find(b"<", start + 1, at) < 0
            ):
                return self._tag_ends(at + 1)
            match = _START_TAG.match(buffer, start)
            if match is not None and match.end() - start <= EVENT_BYTES_MAX:
                return self._tag_ends(match.end())
            self._at = start + 6
        while True:
            pattern = _INSIDE_QUOTES.get(self._quote, _OUTSIDE_QUOTES)
            match = pattern.search(buffer, self._at)
            self._at = at = len(buffer) if match is None else match.start()
            if at - start >= EVENT_BYTES_MAX:
                return self._lose_oversize()
            if match is None:
                return False
            byte = buffer[at]
            if byte == 0x3C:
                return self._lose(CodecError("syntax", "< in a start tag"))
            self._at = at + 1
            if self._quote:
                self._quote = 0
            elif byte == 0x3E:
                return self._tag_ends(at + 1)
            else:
                self._quote = byte

    def _tag_ends(self, at: int) -> bool:
        self._at = at
        if self._buffer[at - 2] == 0x2F:
            return self._finish(at)
        self._step = self._in_event
        return True

    def _in_event(self) -> bool:
        """Behind the start tag: find the end, or the next event where the end got lost."""
        buffer = self._buffer
        limit = self._start + EVENT_BYTES_MAX
        match = _END_OR_START.search(buffer, self._at, limit)
        if match is not None:
            at, end = match.span()
            if buffer[at + 1] == 0x2F:
                return self._finish(end)
            self._at = at
            return self._lose(CodecError("syntax", "a new event begins before </event>"))
        size = len(buffer)
        if size >= limit:
            return self._lose_oversize()
        tail_at = max(self._at, size - _CUT_SHORT_BYTES)
        cut = _CUT_SHORT.search(bytes(buffer[tail_at:size]))
        self._at = size if cut is None else tail_at + cut.start()
        return False

    def _finish(self, end: int, tree: Tree | None = None) -> bool:
        """The event at hand ends at end: read it, if nobody has. False behind a protocol request."""
        buffer = self._buffer
        data = buffer[self._start : end] if type(buffer) is bytes else bytes(memoryview(buffer)[self._start : end])
        self._start = self._at = end
        self._step = self._between
        self._lost_bytes = 0
        self._auth_may_come = False
        one: Read
        try:
            if self._refusal is not None:
                raise self._refusal
            one = decode_event(data, self._skeletons) if tree is None else decode_tree(data, tree)
        except CodecError as error:
            one = error
            self._refusal = None
        self._found.append(one)
        return not (type(one) is Control and one.kind == "protocol-request")

    def _lose_oversize(self) -> bool:
        # Six bytes may be the beginning of the next event, cut by the limit.
        self._at = self._start + EVENT_BYTES_MAX - 6
        return self._lose(CodecError("oversize", f"an event may have {EVENT_BYTES_MAX} bytes"))

    def _lose(self, error: CodecError) -> bool:
        """Give up the event at hand; look for the next from `_at` on."""
        self._found.append(error)
        self._lost_bytes += self._at - self._start
        self._start = self._at
        self._quote = 0
        self._refusal = None
        self._step = self._lost
        return True

    def _lost(self) -> bool:
        """After an error: find the next event; 1 MiB without any breaks the stream."""
        match = _START.search(self._buffer, self._start)
        at = max(self._start, len(self._buffer) - 6) if match is None else match.start()
        self._lost_bytes += at - self._start
        self._start = self._at = at
        if self._lost_bytes > LOST_BYTES_MAX:
            self.broken = True
            self._found.append(CodecError("oversize", f"no event ended in {LOST_BYTES_MAX} bytes"))
            return False
        if match is not None:
            self._step = self._in_tag
        return match is not None
