"""What happens to outside text before anybody reads it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.text import storable
from community.mentions.text import language, languages, readable
from tests.harness.patience import best_seconds

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)

LONG = 50_000
# Each of these once made a pattern somewhere take minutes.
SLOW = [
    "a",
    " ",
    "\n ",
    "@",
    "@a",
    "http://",
    "a'",
    "Ã",
    "â€",
    "\u200d",
    "\u0301\u0327",
    "我",
    "😡",
    "!",
    "a.b",
    "<",
    "((",
    "https://a.b/",
    "a@",
    "-a",
    "\u202e",
    "ﷺ",
    "\t\n",
    "á̧",
]


@pytest.mark.parametrize(
    ("came", "stored"),
    [
        ("plain", "plain"),
        ("e\u0301 and é", "e\u0301 and é"),
        ("\u202eevil\u202c \u200b zero", "\u202eevil\u202c \u200b zero"),
        ("a" + "\u0301" * 500, "a" + "\u0301" * 500),
        ("👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("nul\x00byte", "nul\ufffdbyte"),
        ("half \ud83d", "half \ufffd"),
        ("half \ude00 low", "half \ufffd low"),
        ("split \ud83d\ude00 pair", "split 😀 pair"),
    ],
)
def test_only_what_no_database_holds_is_changed(came: str, stored: str) -> None:
    assert storable(came) == stored


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_any_text_can_be_stored_and_what_could_be_stored_is_unchanged(text: str) -> None:
    kept = storable(text)
    kept.encode("utf-8")
    assert "\x00" not in kept
    assert storable(kept) == kept
    if "\x00" not in text and not any(unicodedata.category(character) == "Cs" for character in text):
        assert kept == text


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_any_text_can_be_read_and_has_a_language(text: str) -> None:
    read = readable(text)
    read.encode("utf-8")
    assert unicodedata.is_normalized("NFC", read)
    assert not set(read) & set("\u202e\u2066\u200b\x07")
    assert language(text) and language(read)


@pytest.mark.parametrize(
    ("came", "read"),
    [
        ("itâ€™s broken", "it’s broken"),
        ("cafÃ© ä½\xa0å¥½ ðŸ˜€", "café 你好 😀"),
        ("twice: Ã¢â‚¬â„¢", "twice: ’"),
        ("Ã is a letter, NÃO, São, Â 5 €", "Ã is a letter, NÃO, São, Â 5 €"),
        ("k\u200bi\u200dl\u00adl", "kill"),
        ("\u202edesrever\u202c", "desrever"),
        ("👩‍👩‍👧 family", "👩‍👩‍👧 family"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("e\u0301", "é"),
        ("  many \t spaces \r\n\r\n\r\n and lines ", "many spaces\n\nand lines"),
        ("bell\x07 in", "bell in"),
    ],
)
def test_the_copy_for_reading_is_repaired(came: str, read: str) -> None:
    assert readable(came) == read


@pytest.mark.parametrize(
    ("text", "hint", "code"),
    [
        ("why is my router not working again", None, "en"),
        ("@brand your app keeps crashing https://t.co/x", "es", "en"),
        ("Mon routeur ne marche plus depuis hier, aidez-moi", None, "fr"),
        ("Kein Internet seit gestern, was ist da los bei euch?", None, "de"),
        ("No puedo entrar en mi cuenta desde ayer", None, "es"),
        ("我的路由器坏了，怎么办", None, "zh-Hans"),
        ("我的路由器壞了，怎麼辦", None, "zh-Hant"),
        ("学习", "zh-TW", "zh-Hans"),
        ("你好", "zh-HK", "zh-Hant"),
        ("你好", None, "zh-Hans"),
        ("ルーターが壊れました", None, "ja"),
        ("東京です", None, "ja"),
        ("인터넷이 안 돼요", None, "ko"),
        ("Не работает интернет второй день", None, "ru"),
        ("الإنترنت لا يعمل منذ أمس", None, "ar"),
        ("อินเทอร์เน็ตใช้ไม่ได้", None, "th"),
        ("iPhone坏了", None, "zh-Hans"),
        ("ok", "fr", "fr"),
        ("ok", "not a language!", "und"),
        ("😡😡😡", None, "und"),
        ("", "en", "en"),
        ("", None, "und"),
        ("@brand https://t.co/abc 12345", None, "und"),
    ],
)
def test_language_by_script_then_words_then_model(text: str, hint: str | None, code: str) -> None:
    assert language(text, hint) == code


def test_many_texts_at_once_keep_their_order() -> None:
    assert languages(["where is my order please", "ルーターが壊れました"], [None, "en"]) == ["en", "ja"]
    assert languages(["你好"]) == ["zh-Hans"]


@pytest.mark.parametrize("piece", SLOW, ids=ascii)
def test_no_text_is_slow(piece: str) -> None:
    text = (piece * LONG)[:LONG]
    language("load the model before the clock runs, s'il vous plaît")
    assert best_seconds(lambda: (language(readable(text)), storable(text)), 1.0) < 1.0


def test_english_is_told_cheaply() -> None:
    text = "@brand why is my order late again? please help me with this https://t.co/x"
    assert best_seconds(lambda: [language(text) for _ in range(2_000)], 0.6) / 2_000 < 0.0003
