"""Hostile CoT: bytes that a codec must refuse or read as harmless, from a seed.

`hostile_events` yields single documents of every kind in KINDS, `hostile_frames` the same ideas as
TAK protobuf. MUST_REFUSE names the kinds of which no statement may ever come out; of the others
(a spoofed uid, a replay, a wrong clock, text with script in it) a body may come out, and it is the
admission that judges it.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

_TIMES: Final = 'time="2026-03-01T10:11:12.345Z" start="2026-03-01T10:11:12.345Z" stale="2026-03-01T10:17:27.345Z"'
_POINT: Final = '<point lat="42.8746" lon="74.5698" hae="812.3" ce="9.9" le="9999999.0"/>'
_NOT_NUMBERS: Final = "NaN nan inf -inf Infinity 1e400 -1e999 0x10 1_0 1,5 --1 1e \u0663 \uff19 one \u22121".split()
_BAD_TIMES: Final = (
    "2026-03-01T10:11:12",
    "2026-03-01",
    "2026-W09-7T10:11:12Z",
    "1969-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "10000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-03-01T25:00:00Z",
    "2026-03-01T10Z",
    "1772359872345",
    "now",
    "",
)
_SCRIPTS: Final = (
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;",
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
    "'; DROP TABLE entries; --",
    "../../../../etc/passwd",
    "&#x202e;cod.exe",
)


def _event(
    dice: Random,
    *,
    uid: str = "",
    times: str = _TIMES,
    point: str = _POINT,
    detail: str = "",
    cot_type: str = "a-h-G",
) -> str:
    """An event that is sound but for what the caller puts in."""
    uid = uid or f"hostile-{dice.randrange(1 << 32):08x}"
    return (
        f'<event version="2.0" uid="{uid}" type="{cot_type}" {times} how="m-g">{point}<detail>{detail}</detail></event>'
    )


def _dtd(dice: Random) -> bytes:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    doctype = dice.choice(
        (
            f'<!DOCTYPE event [<!ENTITY l0 "lol">{lines}]>',
            '<!DOCTYPE event [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE event [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]>',
            '<!DOCTYPE event SYSTEM "http://127.0.0.1:1/event.dtd">',
            f'<!DOCTYPE event [<!ENTITY a "{"a" * 20_000}">]>',
        )
    )
    name = dice.choice(("&l8;", "&x;", "&a;", ""))
    return (doctype + _event(dice, detail=f"<remarks>{name}</remarks>")).encode()


def _dtd_inside(dice: Random) -> bytes:
    inner = dice.choice(
        (
            '<!DOCTYPE detail [<!ENTITY x "y">]>',
            "<!-- </event> -->",
            "<![CDATA[</event>]]>",
            "<!ELEMENT event ANY>",
            "<?xml-stylesheet href='http://127.0.0.1:1/'?>",
        )
    )
    return _event(dice, detail=inner).encode()


def _undeclared_entity(dice: Random) -> bytes:
    name = dice.choice(("&xxe;", "&nbsp;", "&#0;", "&#x1F;", "&#xFFFF;", "&#99999999;", "&", "&;"))
    return _event(dice, detail=f"<remarks>{name}</remarks>").encode()


def _xinclude(dice: Random) -> bytes:
    href = dice.choice(("file:///etc/passwd", "http://127.0.0.1:1/"))
    detail = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{href}" parse="text"/>'
    return _event(dice, detail=detail).encode()


def _oversize(dice: Random) -> bytes:
    size = dice.randint(60_001, 90_000)
    inner = dice.choice(
        (
            f"<remarks>{'x' * size}</remarks>",
            f'<contact callsign="{"x" * size}"/>',
            "<a/>" * (size // 4),
            f"<remarks>{'ж' * (size // 6)}</remarks>",
        )
    )
    return _event(dice, detail=inner).encode()


def _deep(dice: Random) -> bytes:
    depth = dice.choice((31, 64, 255, 300, 5_000))
    return _event(dice, detail="<a>" * depth + "</a>" * depth).encode()


def _many_elements(dice: Random) -> bytes:
    return _event(dice, detail="<a/>" * dice.randint(2_000, 14_000)).encode()


def _many_attributes(dice: Random) -> bytes:
    count = dice.choice((65, 500, 4_000))
    attributes = " ".join(f'a{n}=""' for n in range(count))
    return _event(dice, detail=f"<x {attributes}/>").encode()


def _long_attribute(dice: Random) -> bytes:
    size = dice.randint(8_193, 50_000)
    return _event(dice, detail=f'<contact callsign="{"c" * size}"/>').encode()


def _duplicate_attribute(dice: Random) -> bytes:
    return _event(dice, detail='<contact callsign="a" callsign="b"/>').encode()


def _bad_utf8(dice: Random) -> bytes:
    bad = dice.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3", b"\xe2\x82", b"\x80"))
    return _event(dice, detail="<remarks>@</remarks>").encode().replace(b"@", bad)


def _control_character(dice: Random) -> bytes:
    character = dice.choice((b"\x00", b"\x01", b"\x0b", b"\x1b", b"\xef\xbf\xbe"))
    return _event(dice, detail="<remarks>@</remarks>").encode().replace(b"@", character)


def _other_encoding(dice: Random) -> bytes:
    name = dice.choice(("UTF-16", "ISO-8859-1", "UTF-7", "cp037", "x-unknown"))
    return f'<?xml version="1.0" encoding="{name}"?>{_event(dice)}'.encode()


def _unterminated(dice: Random) -> bytes:
    whole = _event(dice, detail="<contact callsign='x'/>").encode()
    return whole[: dice.randrange(8, len(whole) - 8)]


def _not_a_number(dice: Random) -> bytes:
    name = dice.choice(("lat", "lon", "hae", "ce", "le"))
    numbers = {"lat": "42.0", "lon": "74.0", "hae": "1.0", "ce": "1.0", "le": "1.0"}
    numbers[name] = dice.choice(_NOT_NUMBERS)
    point = " ".join(f'{key}="{value}"' for key, value in numbers.items())
    return _event(dice, point=f"<point {point}/>").encode()


def _out_of_range(dice: Random) -> bytes:
    lat = dice.choice(("90.0001", "-91", "1e9", "1e308"))
    point = dice.choice(
        (
            f'<point lat="{lat}" lon="0" hae="0" ce="1" le="1"/>',
            '<point lat="1" lon="180.5" hae="0" ce="1" le="1"/>',
            '<point lat="1" lon="-1e300" hae="0" ce="1" le="1"/>',
            '<point lat="1" lon="1" hae="-1e300" ce="1" le="1"/>',
            '<point lat="1" lon="1" hae="0" ce="1e300" le="1"/>',
        )
    )
    return _event(dice, point=point).encode()


def _bad_time(dice: Random) -> bytes:
    bad = dice.choice(_BAD_TIMES)
    name = dice.choice(("time", "start", "stale"))
    times = {"time": "2026-03-01T10:11:12Z", "start": "2026-03-01T10:11:12Z"}
    times["stale"] = "2026-03-01T10:11:12Z"
    times[name] = bad
    text = " ".join(f'{key}="{value}"' for key, value in times.items())
    return _event(dice, times=text).encode()


def _missing(dice: Random) -> bytes:
    whole = _event(dice, uid="u-1")
    gone = dice.choice(('uid="u-1" ', 'time="2026-03-01T10:11:12.345Z" ', _POINT, 'lat="42.8746" ', 'type="a-h-G"'))
    return whole.replace(gone, "", 1).encode()


def _long_name(dice: Random) -> bytes:
    if dice.random() < 0.5:
        return _event(dice, uid="u" * dice.randint(513, 8_000)).encode()
    return _event(dice, cot_type="a-f-G" + "-U" * dice.randint(64, 2_000)).encode()


def _smuggled_dest(dice: Random) -> bytes:
    dest = dice.choice(("<dest/>", '<dest callsign=""/>', '<dest publish="x"/>'))
    return _event(dice, detail=f"<marti>{dest}</marti>").encode()


def _garbage(dice: Random) -> bytes:
    return dice.choice((b"", b"<", b"</event>", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01")) + (
        dice.randbytes(dice.randint(1, 200)).replace(b"<event", b"")
    )


def _wrong_root(dice: Random) -> bytes:
    return dice.choice(
        (
            b'<event xmlns="urn:x"/>',
            b"<event/>",
            b"<event></event>",
            b"<events></events>",
            b"<auth><cot username='u' password='p'/></auth>" * 2,
        )
    )


def _wrong_clock(dice: Random) -> bytes:
    year = dice.choice((1971, 1980, 2006, 2019, 2038, 2059, 2099))
    at = f"{year}-04-07T00:00:00Z"
    stale = dice.choice((at, "1970-01-01T00:00:00Z", "2099-12-31T23:59:59Z"))
    return _event(dice, times=f'time="{at}" start="{at}" stale="{stale}"').encode()


def _spoofed(dice: Random) -> bytes:
    uid = dice.choice(("ANDROID-VICTIM", "takPong", "server", "GeoChat.A.B.C"))
    detail = '<contact callsign="VICTIM" endpoint="*:-1:stcp"/><__group name="Red" role="HQ"/>'
    return _event(dice, uid=uid, detail=detail, cot_type="a-f-G-U-C").encode()


def _replayed(dice: Random) -> bytes:
    return _event(dice, uid="replayed-1").encode() * dice.randint(2, 4)


def _script(dice: Random) -> bytes:
    text = dice.choice(_SCRIPTS)
    detail = f'<contact callsign="{text}"/><remarks>{text}</remarks>'
    return _event(dice, detail=detail).encode()


KINDS: Final[dict[str, Callable[[Random], bytes]]] = {
    "dtd": _dtd,
    "dtd_inside": _dtd_inside,
    "undeclared_entity": _undeclared_entity,
    "xinclude": _xinclude,
    "oversize": _oversize,
    "deep": _deep,
    "many_elements": _many_elements,
    "many_attributes": _many_attributes,
    "long_attribute": _long_attribute,
    "duplicate_attribute": _duplicate_attribute,
    "bad_utf8": _bad_utf8,
    "control_character": _control_character,
    "other_encoding": _other_encoding,
    "unterminated": _unterminated,
    "not_a_number": _not_a_number,
    "out_of_range": _out_of_range,
    "bad_time": _bad_time,
    "missing": _missing,
    "long_name": _long_name,
    "smuggled_dest": _smuggled_dest,
    "garbage": _garbage,
    "wrong_root": _wrong_root,
    "wrong_clock": _wrong_clock,
    "spoofed": _spoofed,
    "replayed": _replayed,
    "script": _script,
}
"""Every kind of hostile input, by name."""

MAY_BE_READ: Final = frozenset({"xinclude", "wrong_clock", "spoofed", "replayed", "script"})
"""Sound bytes with a bad intent."""

MUST_REFUSE: Final = frozenset(KINDS) - MAY_BE_READ


def hostile_kinds(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Name of the kind and bytes, count times; the same seed gives the same."""
    dice = Random(seed)
    names = sorted(KINDS)
    for _ in range(count):
        name = dice.choice(names)
        yield name, KINDS[name](dice)


def hostile_events(seed: int, count: int) -> Iterator[bytes]:
    """The bytes alone."""
    for _, data in hostile_kinds(seed, count):
        yield data


def hostile_frames(seed: int, count: int) -> Iterator[bytes]:
    """Stream frames of TAK protobuf that must break the stream or be refused."""
    dice = Random(seed)
    for _ in range(count):
        body = dice.randbytes(dice.randint(0, 300))
        yield dice.choice(
            (
                b"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + body,
                b"\xbf\x00" + body,
                b"\xbf\xff\xff\xff\x7f" + body,
                b"\xbf\xe1\xd4\x03" + body,
                b"\xbe\x05" + body,
                b"<event/>" + body,
                b"\xbf" + bytes((min(len(body), 127),)) + body[:127],
                b"\xbf\x05\x12\xff\xff\xff\x0f" + body,
            )
        )
