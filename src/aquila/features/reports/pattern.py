"""Patterns of a form's fields: the few regular expressions that are judged soon, whatever text they are held against.

Whoever writes a form writes its patterns, and whoever fills it in the text: `(a+)+b` against thirty letters would stop
the node for years. So characters and classes may be counted, but no group; and counts that leave a choice are bounded.
"""

import re

PATTERN_TEXT_MAX = 200
"""Letters of a text that is held against a pattern."""
CHOICES_MAX = 50_000
"""In how many ways the counts of one pattern can be taken: the judging tries no more."""
HOW = (
    "letters, [classes], \\d \\w \\s and . one after the other, each with ?, *, + or {m,n} behind it if need be;"
    " | between alternatives; no groups"
)
_PART = re.compile(
    r"""(?P<one> [^\\\[\](){}^$.*+?|] | \\[dws.*+?()\[\]{}|^$/\\-] | \. | \[\^?(?:[^\[\]\\]|\\[dws\]\[^\\-])+\])
        (?P<count> [?*+] | \{\d{1,3}(?:,\d{1,3})?\} )?
        | (?P<other> \| )""",
    re.VERBOSE | re.ASCII,
)


def fits(pattern: str, text: str) -> bool:
    """Is the whole text as a pattern says that `wrong_pattern` lets through?"""
    return len(text) <= PATTERN_TEXT_MAX and re.fullmatch(_bare(pattern), text) is not None


def wrong_pattern(pattern: str) -> str | None:
    """Why this is no pattern of a field, as a clause; None = it is one."""
    bare, at, choices = _bare(pattern), 0, 1
    while at < len(bare):
        part = _PART.match(bare, at)
        if part is None:
            return f"pattern {pattern[:60]!r} at {bare[at : at + 10]!r}: {HOW}"
        at, choices = part.end(), choices * _choices(part["count"] or "")
    if choices > CHOICES_MAX:
        return f"pattern {pattern[:60]!r} can be taken in {choices} ways, at most {CHOICES_MAX}: bound its counts"
    try:
        re.compile(bare)
    except re.error as wrong:
        return f"pattern {pattern[:60]!r}: {wrong}"
    return None


def _bare(pattern: str) -> str:
    return pattern.removeprefix("^").removesuffix("$")


def _choices(count: str) -> int:
    if count in ("", "?"):
        return 2 if count else 1
    if count in "*+":
        return PATTERN_TEXT_MAX
    low, comma, high = count.strip("{}").partition(",")
    return max(1, int(high) - int(low) + 1) if comma else 1
