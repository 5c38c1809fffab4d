"""P17: no text makes a pattern slow: any 50,000 characters pass intake, checks and classifier within a second."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.kernel.db import db
from app.kernel.text import storable
from community.answers import pages
from community.answers.words import terms
from community.incidents.likeness import sketch
from community.mentions.text import language, readable
from community.moderation import checks
from community.ports import Post
from community.replies import actions as replies
from escalation.classifier.predict import predict
from escalation.triage import StartTriage
from tests import factories
from tests.harness.patience import best_seconds
from tests.harness.promises import FULL, dice
from tests.promises.conftest import Town

LENGTH = 50_000
MOST = 1.0
"""Seconds."""
REPEATED = [
    "a", " ", "\n", "1", "1 ", "1  ", "0 0-0.", "+", "+1", "(", "(1", "@",
    "a@", "a @ ", "a a ", "a.b@", "a at b ", "a at b dot ", "a [at] ", "dot ", "。", "点", "at ", "A",
    "DE89 ", "DE 8 9 ", "de89de89", "Aa ", "A a", "1 Aaa ", "12 Elm ", "12 elm ",
    "路", "中路1", "1号", "丁目", "로 1", "rue ", "1 rue ", "Calle A ", "Calle ",
    "password ", "password is ", "password for the ", "pin is a", "密码", "密码是", "token ", "token: a1", "eyJ",
    "eyJa.", "sk-", "sk_live_", "a1", "a1B2", "a+", "+/", "=", "-----BEGIN ",
    "http://", "https://a.", "a.", "a.com/", "www.", "a.a.a.a.", "x://", "//a",
    "will ", "will you ", "you will get a ", "will be the ", "we ", "take the ", "you are so ", "so so ",
    "会", "会给", "3天", "保证", "免费", "one ", "one, ", "oh ", "double ", "一", "一 ", "{", "{a",
    "{{", "[", "[your ", "_", "<", "\u200b", "é", "e\u0301", "ﷺ", "４", "①", "👨‍👩‍👧‍👦", "🤬",
    "not ", "ask a ", "if ", "n't ", "fuck ", "you're ", "stop ", "\ud7ff", "\t",
    "1\n", "1,", "1/", "1.", "1:", "#1", "0x1", "\"", "'", "“a",
]  # fmt: skip


def hostile() -> list[str]:
    """Repeated pieces, alone and with an end that fits nothing, and a thousand of them mixed."""
    chance = dice()
    texts = [(piece * (LENGTH // len(piece) + 1))[: LENGTH - 1] + end for piece in REPEATED for end in ("", "!")]
    texts += ["".join(chance.choices(REPEATED, k=LENGTH))[:LENGTH] for _ in range(20)]
    texts += ["".join(chance.choice((one, other)) for _ in range(LENGTH))[:LENGTH] for one, other in (chance.sample(REPEATED, 2) for _ in range(60))]
    return texts if FULL else chance.sample(texts, 30)


def too_slow(read: Callable[[str], object], text: str) -> dict[str, float]:
    """The text's beginning and what it took, if that was more than MOST."""
    took = best_seconds(lambda: read(text), MOST)
    return {text[:40]: round(took, 2)} if took > MOST else {}


@pytest.mark.timeout(900)
def test_p17_any_text_passes_the_checks_within_a_second(town: Town) -> None:
    """Red with a pattern that tries again from each of its places, as `(a+)+$`."""
    task = factories.task(town.account)
    slow: dict[str, float] = {}
    with db.transaction(read_only=True):
        path = replies.resolve_path(factories.fresh(task), town.ada, None)
        for text in hostile():
            slow |= too_slow(lambda text: checks.check(text, path=path, task=factories.fresh(task), writer=town.ada), text)
    assert slow == {}


MARKUP = [
    "<", "<a ", "</a", "<!--", "<![CDATA[", "<!x", "<?", "<a b='", '<a "', "<a '\">", "<script>", "<style>", "<textarea>", "<title>", "<h1>", 
    "<h1>a</h1>b", "<div>", "<plaintext>", "&", "&#", "&#9", "&#x", "&amp", "-->", "]]>",
]  # fmt: skip
"""What a page or a cell of a help desk's export could repeat."""
READERS: dict[str, Callable[[str], object]] = {
    "language": language,
    "readable": readable,
    "storable": storable,
    "search terms": terms,
    "likeness": sketch,
    "classifier": lambda text: predict([Post(text=text)]),
    "mood": lambda text: StartTriage().read_mood(Post(text="It does not work."), Post(text=text)),
    "page": pages.questions,
    "cell": pages.as_text,
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("reader", READERS)
def test_p17_any_text_is_read_within_a_second(reader: str) -> None:
    """Red for pages with Python's own HTML parser, which begins anew at each bracket that never closes."""
    slow: dict[str, float] = {}
    repeated = [(piece * (LENGTH // len(piece) + 1))[:LENGTH] for piece in MARKUP] if reader in ("page", "cell") else []
    READERS[reader]("How do I reset it?")
    for text in [*(f"<p>{one}" for one in repeated), *hostile()]:
        slow |= too_slow(READERS[reader], text)
    assert slow == {}


def test_p17_a_number_that_is_no_character_stops_no_page() -> None:
    """Red when thousands of digits reach `int`."""
    [found] = pages.questions(f"<h1>Why?</h1><p>Because it is so &#{'9' * 5_000}; and was always so &#38; will be.</p>")
    assert found.body.startswith("Because it is so") and found.body.endswith("& will be.")
