"""What happens to outside text: what a reader can search, which language it is.

What is stored is the text as it came (`storable`). `readable` is the copy that the classifier and the search see.
Everything here is linear in the length of the text, whatever its characters.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from app.kernel.text import storable

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


UNKNOWN = "und"

# A stretch of combining marks longer than this writes nothing any more, and sorting it into normal form costs its square.
MAX_MARKS = 8
# Longer samples never changed the answer; shorter Latin texts cannot be told apart.
SAMPLE_CHARACTERS = 1_000
MIN_LATIN_LETTERS = 12
MIN_LATIN_WORDS = 3
MIN_CONFIDENCE = 0.55

# What posts to brands are written in; rarer languages only draw short posts away from their own.
LATIN_LANGUAGES = tuple(
    sorted(
        _words(
            """
            en fr de es pt it nl id ms tl tr pl vi sv da no fi cs sk ro hu ca hr sl et lv lt sq sw af
            """
        )
    )
)
OTHER_LANGUAGES = ("ru", "uk", "be", "bg", "sr", "mk", "kk", "mn", "ar", "fa", "ur", "hi", "mr", "ne")

# Words that are common in English and in no other language above.
ENGLISH = _words(
    """
    the and you your you're yours my mine i'm i've ive i'll i'd we we're they them their this that that's these those there there's it it's its with
    have haven't had not what what's when where who why which how are aren't been being from get got getting gets just can't cant cannot could
    couldn't would wouldn't should shouldn't don't dont doesn't doesnt didn't didnt isn't wasn't won't wont will about after again any anyone because
    before but every everything than then too very much more something still ever never now today tonight yesterday tomorrow please pls plz thank
    thanks thx help need needs want know think going gonna love hate good great best worst bad back out off up down over only other people really
    right same since someone try trying tried use used using wait waiting way well work working works does doing did to for she his our yes yeah hey
    hello guys sorry
    """
)

# The commonest words of the Latin neighbours that English lacks: one look at a loanword does not make a text English.
FOREIGN = _words(
    """
    que el los las una por para está esta pero como muy más hola gracias sé yo mi tengo desde hace lo les des est pas pour avec vous nous je mais sur
    dans qui une sont votre bonjour merci der das und ist nicht ich mit ein eine auf für sie wir seit von den dem auch bei het een niet van voor ik
    jullie wel maar não você uma os com meu minha quando il che di sono della non grazie yang dan tidak saya untuk ini itu ada dengan nya ang mga ako
    po hindi bir ve bu için değil jeg ikke det til och att inte är som jest nie się na
    """
)

# Soft hyphen, zero-width space, word joiner, byte order mark and the invisible operators say nothing anywhere.
_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
# Joiners shape Arabic and Indic words and join emoji; between other letters they only hide a word from a filter.
_JOINER_NOISE = re.compile("(?<![\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\ufe0f\u2600-\u27bf\U0001f000-\U0001faff])[\u200c\u200d]+")
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n(?: ?\n)+ ?")

_CONTINUATION = "".join(bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xC0))
_TAIL = f"[{re.escape(_CONTINUATION)}]"
# UTF-8 once read as Windows-1252: a lead byte followed by as many continuation bytes as it announces.
_MOJIBAKE = re.compile(f"(?:[\u00c2-\u00df]{_TAIL}|[\u00e0-\u00ef]{_TAIL}{{2}}|[\u00f0-\u00f4]{_TAIL}{{3}})+")
_BYTE = {ord(bytes([code]).decode("cp1252", "ignore") or chr(code)): code for code in range(0x80, 0x100)}

_NOT_PROSE = re.compile(r"https?://\S+|[@#][\w.\-]+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_KANA = re.compile("[\u3041-\u309f\u30a1-\u30fa\uff66-\uff9d]")
_HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ebef]")
_SCRIPTS = (
    (re.compile("[\u0400-\u04ff]"), ("ru", "uk", "be", "bg", "sr", "mk", "kk", "mn"), "ru"),
    (re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]"), ("ar", "fa", "ur"), "ar"),
    (re.compile("[\u0900-\u097f]"), ("hi", "mr", "ne"), "hi"),
    *(
        (re.compile(f"[{first}-{last}]"), (code,), code)
        for code, first, last in (
            ("el", "\u0370", "\u03ff"),
            ("hy", "\u0530", "\u058f"),
            ("he", "\u0590", "\u05ff"),
            ("bn", "\u0980", "\u09ff"),
            ("pa", "\u0a00", "\u0a7f"),
            ("gu", "\u0a80", "\u0aff"),
            ("or", "\u0b00", "\u0b7f"),
            ("ta", "\u0b80", "\u0bff"),
            ("te", "\u0c00", "\u0c7f"),
            ("kn", "\u0c80", "\u0cff"),
            ("ml", "\u0d00", "\u0d7f"),
            ("si", "\u0d80", "\u0dff"),
            ("th", "\u0e00", "\u0e7f"),
            ("lo", "\u0e80", "\u0eff"),
            ("my", "\u1000", "\u109f"),
            ("ka", "\u10a0", "\u10ff"),
            ("am", "\u1200", "\u137f"),
            ("km", "\u1780", "\u17ff"),
        )
    ),
)
_HANT_HINTS = ("zh-hant", "zh-tw", "zh-hk", "zh-mo", "zh_hant", "zh_tw", "zh_hk", "yue")


def readable(text: str) -> str:
    """A copy to classify and to search: broken encoding repaired where certain, invisible noise and direction overrides
    removed, canonical form, quiet whitespace. Never longer than needed, never shown in place of the original."""
    text = storable(text)
    if not text.isascii():
        text = _repair_encoding(text)
        text = _BIDI.sub("", _INVISIBLE.sub("", text))
        if "\u200c" in text or "\u200d" in text:
            text = _JOINER_NOISE.sub("", text)
        text = unicodedata.normalize("NFC", _thin_marks(text))
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _LINES.sub("\n\n", _BLANKS.sub(" ", text)).strip()


def language(text: str, hint: str | None = None) -> str:
    """`en`, `zh-Hans`, `zh-Hant`, `ja`, `ko`, another ISO 639 code, or `und`.

    The script speaks first, then common words, then a statistical model. `hint` (what the network said) is
    believed only where the text is too short to tell."""
    sample = _NOT_PROSE.sub(" ", text[:SAMPLE_CHARACTERS])
    if not sample.isascii() and (tag := _by_script(sample, hint)):
        return tag
    words = [word.replace("’", "'") for word in _WORD.findall(sample.lower())]
    if not words:
        return _tag(hint)
    english = sum(word in ENGLISH for word in words)
    foreign = sum(word in FOREIGN for word in words)
    if english > foreign and (english >= 2 and english * 6 >= len(words)):
        return "en"
    if len(words) < MIN_LATIN_WORDS or sum(map(len, words)) < MIN_LATIN_LETTERS:
        return _tag(hint) if hint and _tag(hint) != UNKNOWN else "en" if english > foreign else UNKNOWN
    guess, confidence = _identify(" ".join(words), LATIN_LANGUAGES)
    if confidence >= MIN_CONFIDENCE and not (guess == "en" and foreign > english):
        return guess
    if english > foreign:
        return "en"
    return _tag(hint)


def languages(texts: Iterable[str], hints: Sequence[str | None] | None = None) -> list[str]:
    """`language` for each text, in order."""
    if hints is None:
        return [language(text) for text in texts]
    return [language(text, hint) for text, hint in zip(texts, hints, strict=True)]


def _repair_encoding(text: str) -> str:
    for _ in range(2):  # text that went through two wrong hands
        repaired = _MOJIBAKE.sub(_decode, text)
        if repaired == text:
            return text
        text = repaired
    return text


def _decode(match: re.Match[str]) -> str:
    try:
        return match.group().translate(_BYTE).encode("latin-1").decode("utf-8")
    except UnicodeError:
        return match.group()


def _thin_marks(text: str) -> str:
    run = 0
    kept: list[str] = []
    cut = False
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= MAX_MARKS:
            kept.append(character)
        else:
            cut = True
    return "".join(kept) if cut else text


def _by_script(sample: str, hint: str | None) -> str | None:
    han, kana, hangul = len(_HAN.findall(sample)), len(_KANA.findall(sample)), len(_HANGUL.findall(sample))
    letters = sum(map(len, _WORD.findall(sample)))
    if kana and (kana + han) * 3 >= letters and kana * 8 >= han:
        return "ja"
    if hangul and hangul * 3 >= letters:
        return "ko"
    # One Han character carries about as much as three letters.
    if han and han * 3 >= letters - han:
        return _chinese(sample, han, hint)
    for script, candidates, usual in _SCRIPTS:
        if len(script.findall(sample)) * 2 > letters:
            if len(candidates) == 1:
                return usual
            guess, confidence = _identify(sample, candidates)
            return guess if confidence >= 0.4 else usual
    return None


def _chinese(sample: str, han: int, hint: str | None) -> str:
    if han < 4 and hint and _tag(hint) == "ja":
        return "ja"
    simplified = traditional = 0
    for character in sample:
        if character > "\u3400":
            kind = _kind_of_han(character)
            simplified += kind < 0
            traditional += kind > 0
    if simplified != traditional:
        return "zh-Hant" if traditional > simplified else "zh-Hans"
    return _tag(hint) if hint and _tag(hint).startswith("zh") else "zh-Hans"


@lru_cache(maxsize=8_192)
def _kind_of_han(character: str) -> int:
    """-1 written only in simplified text, 1 only in traditional, 0 in both: what the two national character sets say."""
    return _encodes(character, "big5") - _encodes(character, "gb2312")


def _encodes(character: str, charset: str) -> int:
    try:
        character.encode(charset)
    except UnicodeError:
        return 0
    return 1


def _tag(hint: str | None) -> str:
    """A network's language hint in our spelling; `und` if it is none."""
    if not hint:
        return UNKNOWN
    lowered = hint.strip().lower()
    if lowered.startswith(_HANT_HINTS):
        return "zh-Hant"
    if lowered.startswith("zh"):
        return "zh-Hans"
    primary = re.split("[-_]", lowered, maxsplit=1)[0]
    return primary if primary.isascii() and primary.isalpha() and len(primary) in (2, 3) else UNKNOWN


_lock = threading.Lock()
_identifiers: dict[tuple[str, ...], LanguageIdentifier] = {}


def _identify(sample: str, candidates: tuple[str, ...]) -> tuple[str, float]:
    """The likeliest of the candidates and its share. The model (70 MB) is loaded at the first text that needs it."""
    found = _identifiers.get(candidates)
    if found is None:
        with _lock:
            found = _identifiers.get(candidates) or _load(candidates)
            _identifiers[candidates] = found
    guess, confidence = found.classify(sample[:SAMPLE_CHARACTERS])
    return str(guess), float(confidence)


def _load(candidates: tuple[str, ...]) -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    base = _identifiers.get(())
    if base is None:
        base = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        base.set_languages(LATIN_LANGUAGES + OTHER_LANGUAGES)
        # Its table of all 142 languages is 28 MB that we never read again.
        base._full_model = (base.nb_ptc, base.nb_pc, base.nb_classes)
        _identifiers[()] = base
    narrowed = object.__new__(LanguageIdentifier)
    for name in LanguageIdentifier.__slots__:
        setattr(narrowed, name, getattr(base, name))
    narrowed.set_languages(candidates)
    return narrowed
