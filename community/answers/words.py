"""Text as search terms: the same for what is stored and for what is asked, on either database.

Words are folded (case, accents, width), English and its neighbours lose their endings, scripts without spaces become
pairs of characters. Pure, and linear in the length of the text.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from community.mentions.text import readable

LONGEST_TEXT = 4_000
"""Characters that are looked at; what comes later in a text no longer tells what it is about."""
LONGEST_TERM = 40
SYNONYMS = Path(__file__).with_name("synonyms.toml")

_NOT_WORDS = re.compile(r"https?://\S+|www\.\S+|@[\w.\-]+|\{\{[^{}]{0,60}\}\}")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*(?:[\u0300-\u036f\u0900-\u0dff][^\W_]*)*")
# Han, kana, Hangul, Thai, Lao, Burmese, Khmer: written without spaces, or with endings glued on.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0002ebef"
_RUN = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


STOP = _listed(
    """
    a an the and or but if so as at by for from in into of on onto to with without about over under up than then there here this that these
    those i im ive id ill me my mine we us our you your youre he she it its they them their is am are was were be been being do does did doing dont doesnt
    didnt have has had having can cant could will wont would should shall may might must not no yes just very too also only even still again ever please pls
    thanks thank thx hi hello hey what whats which who when where why how any some all each get got getting gets go going know want need trying try tried
    anyone someone somebody everybody guys lol one really isnt wasnt arent werent hasnt havent hadnt couldnt wouldnt shouldnt thats theres theyre weve
    were youve hes shes whos lets gonna wanna ok okay much many more since after before while now soon today yesterday tomorrow again back
    der die das den dem des ein eine einen einem einer und oder aber ist sind war bin ich du er sie es wir ihr mein meine mit von zu zum zur auf in im an am
    fur nicht kein keine wie was wo wann warum bitte danke hallo habe hat haben kann
    le la les un une des du de et ou mais est sont je tu il elle nous vous mon ma mes avec pour pas ne que qui quoi dans sur au aux comment bonjour merci
    el los las una unos unas y o pero es son yo mi mis con para por no que como en del al hola gracias se lo
    il lo gli i uno ed non che come sono per con del della di da ciao grazie mio mia
    os as um uma e ou mas eu meu minha com para por nao que como em do da dos das ola obrigado
    het een en of maar ik je jij hij zij wij mijn met voor van niet geen hoe wat waar wanneer hallo bedankt
    """
)
"""Words that say nothing of what a text is about."""
EVERYDAY = _listed(
    """
    able across actually ago ahead almost alone along already always another anymore anything anyway around ask away bad began begin behind best
    better between big bit both bring brought came choose cool course day different done during early easy eight either else end enough evening every
    everyone everything face fact family far fast feel few find fine first five follow found four friend full fun funny gave give gone good great
    guess guy half happen happy hard hate hear heard help high hold hope hour idea important inside instead keep kept kind knew known large last late
    later least leave left less let life like literally little live long look lot love made make man matter maybe mean mention mind minute month
    morning most near never new next nice night nine nothing off often old once other out outside own part people perhaps person place possible pretty
    problem put question quite reach read ready real reason right said same saw say second see seem seen sent set seven short show side single six
    size small something sometimes sort special start stay stop stuff such sure take taken talk tell ten thing think thought three time told took turn
    two until use used useful usual usually wait walk way week well whole wish within woman word work world worst worth write wrong wrote year yet
    young
    """
)
"""Words that stand in posts about anything: two texts that share one need not be about the same. English; others weigh what they weigh."""


def terms(text: str) -> list[str]:
    """The search terms of a text, in its order, repeated as often as they stand there."""
    plain = unicodedata.normalize("NFKC", readable(text[: 2 * LONGEST_TEXT])[:LONGEST_TEXT]).casefold()
    found: list[str] = []
    for word in _WORD.findall(_NOT_WORDS.sub(" ", plain)):
        for run in _RUN.findall(word):
            if _IS_UNSPACED.match(run):
                found += [run[i : i + 2] for i in range(len(run) - 1)] if len(run) > 1 else [run]
            elif term := _folded(run):
                found.append(term)
    return found


def related(term: str) -> frozenset[str]:
    """Terms that mean the same to a customer: `luggage` for `baggage`."""
    return _related().get(term, frozenset())


def is_everyday(term: str) -> bool:
    """Whether a term is one of `EVERYDAY`, in any of its forms."""
    return term in _everyday()


def overlap(source: Iterable[str], text: Iterable[str]) -> float:
    """Share of the source's terms that stand in the text, 0…1."""
    wanted = set(source)
    return len(wanted & set(text)) / len(wanted) if wanted else 0.0


@lru_cache(maxsize=20_000)
def _folded(run: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", run) if not "\u0300" <= c <= "\u036f" and c not in "'’")
    if bare in STOP or (len(bare) < 2 and not bare.isdigit()):
        return ""
    return _stem(bare)[:LONGEST_TERM]


def _stem(word: str) -> str:
    """English endings, lightly: what is left need not be a word, only the same for its forms."""
    if len(word) < 4 or not (word.isascii() and word.isalpha()):
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "ches", "shes", "xes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "sis", "this")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        stem = word[: -len(ending)]
        if word.endswith(ending) and len(stem) >= 3 and any(c in "aeiouy" for c in stem):
            word = stem[:-1] if stem[-1] == stem[-2] and stem[-1] not in "ls" else stem
            break
    for ending, instead in (("ation", ""), ("ment", ""), ("ally", "al"), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)] + instead
            break
    if word.endswith("ll") and len(word) > 5:
        word = word[:-1]
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


@lru_cache(maxsize=1)
def _everyday() -> frozenset[str]:
    return frozenset(term for word in EVERYDAY for term in terms(word))


@lru_cache(maxsize=1)
def _related() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for row in tomllib.loads(SYNONYMS.read_text("utf-8"))["same"]:
        group = {term for word in row for term in terms(word)[:1]}
        for term in group:
            found.setdefault(term, set()).update(group - {term})
    return {term: frozenset(others) for term, others in found.items()}
