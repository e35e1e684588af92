"""Colours as TAK writes them (Android's signed ARGB number) and as screens do (#rrggbb, #rrggbbaa)."""

import re


def css_of_argb(text: str | None) -> str | None:
    """#rrggbb, or #rrggbbaa where it is seen through; None where the text is no such number."""
    if text is None or not re.fullmatch(r"-?[0-9]{1,10}", text):
        return None
    argb = int(text) & 0xFFFFFFFF
    alpha = argb >> 24
    return f"#{argb & 0xFFFFFF:06x}" + ("" if alpha == 0xFF else f"{alpha:02x}")


def argb_of_css(css: str) -> int | None:
    """The signed number of #rrggbb or #rrggbbaa; None for any other text."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?", css):
        return None
    value = (int(css[7:] or "ff", 16) << 24) | int(css[1:7], 16)
    return value - (1 << 32) if value & 0x80000000 else value
