"""What the shipped classifier says of posts, and that it says it of any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community.mentions.text import language, readable
from community.ports import Post, Signals
from escalation.classifier.predict import predict
from escalation.classifier.rules import CATEGORIES
from tests.harness.patience import best_seconds


def signals(text: str, lang: str = "en") -> Signals:
    return predict([Post(text, lang)])[0]


ANGRY = [
    "You are the WORST company ever, I'm done with you!!!",
    "Three hours on hold and then you hung up on me. Absolutely disgusted.",
    "thanks for nothing @brand, get your shit together",
    "I have never been treated so badly. Never again.",
    "your customer service is a joke 😡",
    "Great, another delay. Thanks for ruining my wedding 🙄",
    "y o u  a r e  u s e l e s s, a n g r y customer here!!",
]
CALM = [
    "What time do you open on Sundays?",
    "Thank you so much, that was quick!",
    "Could you tell me how to change my seat please?",
    "Just landed, lovely crew as always",
]
TECHNICAL = [
    "The app crashes every time I open it since the last update, iPhone 8 iOS 11.1.2",
    "Error code 503 when I try to log in, cleared the cache already",
    "my wifi keeps dropping and the router reboots by itself",
    "No internet since 8 am, is there an outage?",
]
PLAIN = ["When will my parcel arrive?", "Can I bring two bags on board?", "I was charged twice for one ticket", "Do you sell gift cards?"]


@pytest.mark.parametrize("text", ANGRY)
def test_the_angry_are_seen(text: str) -> None:
    assert signals(text).anger >= 0.4


@pytest.mark.parametrize("text", CALM)
def test_the_calm_are_left_in_peace(text: str) -> None:
    assert signals(text).anger < 0.2


@pytest.mark.parametrize("text", TECHNICAL)
def test_technical_posts_are_seen(text: str) -> None:
    assert signals(text).technical >= 0.4


@pytest.mark.parametrize("text", PLAIN)
def test_plain_questions_are_not_technical(text: str) -> None:
    assert signals(text).technical < 0.3


@pytest.mark.parametrize(
    ("text", "angry", "technical"),
    [
        ("垃圾公司，客服态度恶劣，我要投诉！", True, False),
        ("垃圾公司，客服態度惡劣，我要投訴！", True, False),
        ("请问怎么修改收货地址？", False, False),
        ("APP更新后一直闪退，登录不了，重启也没用", False, True),
        ("APP更新後一直閃退，登錄不了", False, True),
        ("谢谢，服务非常好", False, False),
    ],
)
def test_chinese_by_its_lexicon_in_both_scripts(text: str, angry: bool, technical: bool) -> None:
    found = signals(text, language(text))
    assert (found.anger >= 0.4) is angry
    assert (found.technical >= 0.4) is technical


def test_chinese_sentiment_is_learned() -> None:
    assert signals("非常好吃，服务很好，下次还来", "zh-Hans").sentiment > 0.2
    assert signals("太难吃了，再也不来了，很失望", "zh-Hans").sentiment < -0.2


@pytest.mark.parametrize(
    ("text", "spam"),
    [
        ("RT @someone: Enter for a chance to win free tickets! https://t.co/x", True),
        ("GIVEAWAY! Follow me and retweet to win an iPhone #free #win https://t.co/x", True),
        ("Stocks in the News: earnings report announced https://t.co/x", True),
        ("We're sorry to hear that. Please DM us your account number. ^JW", True),
        ("my parcel is late, can you help me?", False),
        ("I won a voucher but the code does not work on your site https://t.co/x", False),
        ("@brand you lost my bag!!", False),
    ],
)
def test_noise_is_told_from_customers(text: str, spam: bool) -> None:
    assert (signals(text).spam >= 0.7) is spam


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("the charger caught fire in my kitchen", "safety"),
        ("you will hear from my lawyer", "legal"),
        ("somebody hacked my account", "security"),
        ("my account was hacked", "security"),
        ("I'm a journalist writing a story about your outage", "press"),
        ("is your site down for everyone?", "outage"),
        ("I've emailed 3 times, still waiting", "repeat"),
        ("充电器着火了", "safety"),
        ("我要找律师起诉你们", "legal"),
    ],
)
def test_urgent_matters_are_named(text: str, topic: str) -> None:
    found = signals(text, language(text))
    assert topic in found.topics
    assert found.urgency >= 0.2


@pytest.mark.parametrize(
    "text", ["which channel is Game of Thrones on with a Fire Stick?", "the two of us ate at the food court", "insult to injury", "my song is disabled"]
)
def test_a_word_that_only_sounds_grave_names_no_matter(text: str) -> None:
    assert not set(signals(text).topics) & {"safety", "legal", "security", "press"}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("How do I change the language of the menu?", "how_to"),
        ("I was charged twice, I want a refund", "billing"),
        ("Where is my parcel? Tracking says delivered", "delivery"),
        ("please add a dark mode, would be nice", "feature_request"),
        ("Thank you, great service!", "praise"),
        ("app crashes with error 500 when opening", "technical"),
        ("is the whole network down? outage in Leeds", "outage"),
        ("You are rude and unprofessional", "complaint"),
        ("Is the lounge open?", "question"),
        ("hmm", "other"),
    ],
)
def test_categories(text: str, category: str) -> None:
    assert signals(text).category == category


def test_praise_needs_nothing_else() -> None:
    assert signals("Thank you so much, amazing crew!").praise
    assert not signals("Thank you, but it still doesn't work").praise
    assert not signals("Thanks! When does it arrive?").praise


def test_other_languages_are_never_guessed() -> None:
    french = signals("Mon routeur est en panne, service de merde !!!", "fr")
    assert (french.anger, french.technical) == (0.28, 0.26)
    assert french.words == ()


def test_the_words_that_weighed_most_stand_where_they_say() -> None:
    text = "😡 @Acme my ROUTER  is broken again — you useless idiots"
    words = signals(text).words
    assert {"ROUTER", "useless", "idiots"} <= {text[word.start : word.end] for word in words}
    assert all(word.weight > 0 for word in words)


def test_handles_links_and_digits_change_nothing() -> None:
    one = signals("@acme my order 12345 is late https://t.co/abc")
    other = signals("@other my order 99 is late https://x.example/zzz")
    assert (one.anger, one.technical, one.spam) == (other.anger, other.technical, other.spam)


def test_one_version_gives_one_answer_in_any_company() -> None:
    posts = [Post(text, "en") for text in ANGRY + CALM + TECHNICAL]
    together = predict(posts)
    assert together == [predict([post])[0] for post in posts]
    assert len({found.classifier for found in together}) == 1


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=400), st.sampled_from(["en", "zh-Hans", "zh-Hant", "fr", "und", "", "x"]))
def test_any_text_is_survived(text: str, lang: str) -> None:
    for given_text in (text, readable(text)):
        found = signals(given_text, lang)
        assert 0 <= found.anger <= 1 and 0 <= found.technical <= 1 and 0 <= found.spam <= 1 and 0 <= found.urgency <= 1
        assert -1 <= found.sentiment <= 1
        assert found.category in CATEGORIES
        for word in found.words:
            assert 0 <= word.start < word.end <= len(given_text)


@pytest.mark.parametrize("text", ["", " ", "\x00\x00", "😀" * 500, "#win " * 500, "http://a.b " * 500, "a n g r y " * 1000, "我 a ルーター " * 1000, "\ud83d"])
def test_odd_texts_have_signals(text: str) -> None:
    assert 0 <= signals(text, "und").anger <= 1


@pytest.mark.parametrize("piece", ["a", "crash ", "a b c d ", "垃圾", "😡", "!", "thanks for ", "@a ", "1.", "\u0301"], ids=ascii)
def test_a_hundred_thousand_characters_take_less_than_a_second(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    signals("warm")
    assert best_seconds(lambda: signals(text), 1.0) < 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Damn good coffee, love it!",
        "That show was fucking brilliant, thank you!",
        "bloody lovely crew 😍",
        "Hell yeah, the green one is back",
        "Crap, I left my hat on the 9:40",
    ],
)
def test_swearing_for_joy_is_no_anger(text: str) -> None:
    assert signals(text).anger < 0.3


@pytest.mark.parametrize(
    "text", ["Slow as hell and rude staff, worst shop ever", "No shit, and you still lie to me, you thieves", "I am an idiot to trust you liars"]
)
def test_a_harmless_phrase_excuses_no_blame_beside_it(text: str) -> None:
    assert signals(text).anger > 0.5


def test_swearing_at_somebody_is_anger_beside_praise_too() -> None:
    assert signals("Love how you fucking lost my bag, idiots, thank you").anger > 0.5


def test_how_a_request_sounds_tells_customers_from_talk() -> None:
    asks, talks = "I need to change the delivery address of my order", "haha he is such a good actor, that movie was wild"
    assert signals(asks).spam < 0.1 < signals(talks).spam
