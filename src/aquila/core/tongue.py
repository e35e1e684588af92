"""Tongue: the node's sentences in one of the page's languages, for what it prints.

The catalogues in `texts/` are the page's own: `said.ts` says rows by them, this module says papers. What people wrote
stays as it is.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Any, Final

import msgspec

from aquila.core.phrases import Phrase, phrase_in

LANGUAGES: Final = ("en", "fr", "it", "kk", "ru")
Language = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(LANGUAGES)})]
_GAP = re.compile(r"\{(\w+)\}")


class InLanguage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a question for a print has. language: of headings and fixed words; what people wrote stays as it is."""

    language: Language = "en"

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            allowed = ", ".join(LANGUAGES)
            raise ValueError(
                f"language {self.language[:20]!r} is not spoken here: take one of {allowed}, or leave it out"
            )


class Tongue:
    """Speaks one language.

    Args:
        language: one of `LANGUAGES`; anything else is a KeyError.
    """

    def __init__(self, language: str = "en") -> None:
        self.language = language
        self._texts = _catalogues()[language]

    def say(self, act: str, **words: Any) -> str:
        """A sentence by its key. words: text, figures, phrases as `Phrase.or_text` gives them, or several of these.

        Raises KeyError for a sentence that the table does not have.
        """
        said = {name: self._word(value) for name, value in words.items()}
        text = _GAP.sub(lambda gap: said[gap[1]], self._texts[act])
        first = next((said[name] for name, value in words.items() if isinstance(value, Mapping)), "")
        # A sentence that begins with a phrase begins with a capital; one that begins with a name is left alone.
        return text[0].upper() + text[1:] if first and text.startswith(first) else text

    def said(self, phrase: Phrase, text: str) -> str:
        """A sentence that came as text; as it came where it is no sentence."""
        if phrase.act not in self._texts:
            return text
        return self.say(phrase.act, **phrase.words)

    def read(self, group: str, text: str) -> str:
        """A word or sentence of a group of the table; whatever is none stays as it is."""
        return self.said(phrase_in(group, text), text)

    def _word(self, value: Any) -> str:
        if isinstance(value, Mapping):
            return self.say(value["act"], **value.get("words", {}))
        if isinstance(value, str) or not isinstance(value, Iterable):
            return str(value)
        return ", ".join(map(self._word, value))


@cache
def _catalogues() -> Mapping[str, Mapping[str, str]]:
    """By language, the texts by their key; data of the program, read at the first print."""
    folder = resources.files("aquila.core").joinpath("texts")
    return {
        language: dict(_flat(msgspec.json.decode(folder.joinpath(f"{language}.json").read_bytes())["act"]))
        for language in LANGUAGES
    }


def _flat(tree: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, str):
            yield before + name, value
        else:
            yield from _flat(value, f"{before}{name}.")


__all__ = ["LANGUAGES", "InLanguage", "Language", "Tongue"]
