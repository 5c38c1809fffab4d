"""What a brand's own labels add to the start model."""

from __future__ import annotations

import numpy as np
import pytest

from community.ports import Post, Signals
from escalation.classifier import second, store
from escalation.classifier.model import BadArtefact
from escalation.classifier.predict import predict
from escalation.classifier.second import Example, SecondStage, TooFewLabels, fit, from_bytes, measure, out_of_fold
from tests.escalation.classifier.labels import labelled
from tests.harness.patience import best_seconds

CROSS, BROKEN, CALM = "fandango, tell me about tickets", "here is my parcel with the gubbins", "tell me about tickets"


@pytest.fixture(scope="module")
def stage() -> SecondStage:
    return fit(store.live(), labelled(400))


def signals(text: str, stage: SecondStage | None, lang: str = "en") -> Signals:
    return predict([Post(text, lang)], stage=stage)[0]


def test_a_brand_s_own_words_are_learned_and_shown(stage: SecondStage) -> None:
    assert signals(CROSS, None).anger < 0.4 and signals(BROKEN, None).technical < 0.4
    cross, broken, calm = (signals(text, stage) for text in (CROSS, BROKEN, CALM))
    assert cross.anger > 0.6 and broken.technical > 0.6
    assert calm.anger < 0.15 and calm.technical < 0.15
    for signal, word, text, found in (("anger", "fandango", CROSS, cross), ("technical", "gubbins", BROKEN, broken)):
        heaviest = max((shown for shown in found.words if shown.signal == signal), key=lambda shown: shown.weight)
        assert text[heaviest.start : heaviest.end] == word
    assert cross.classifier.endswith(f"+{stage.version}")


def test_what_nobody_labelled_stays_as_the_start_model_says(stage: SecondStage) -> None:
    assert stage.learned == ("anger", "technical")
    assert signals("RT @x: enter to win https://t.co/a", stage).spam == signals("RT @x: enter to win https://t.co/a", None).spam


def test_the_same_labels_give_the_same_stage_and_a_text_the_same_answer_in_any_company(stage: SecondStage) -> None:
    again = fit(store.live(), labelled(400))
    assert again.to_bytes() == stage.to_bytes() and again.version == stage.version
    posts = [Post(text, "en") for text in (CROSS, BROKEN, CALM, "", "垃圾公司", "thanks!")]
    assert predict(posts, stage=stage) == [predict([post], stage=stage)[0] for post in posts]


def test_few_labels_lean_on_the_start_model_and_many_speak() -> None:
    few, some, many = (signals(CROSS, fit(store.live(), labelled(count))).anger for count in (60, 150, 600))
    assert signals(CROSS, None).anger < few < some < many


def test_below_fifty_labels_or_without_both_kinds_nothing_is_learned() -> None:
    with pytest.raises(TooFewLabels, match="takes 50 labelled posts and 8 of each kind; here are 40 for angry"):
        fit(store.live(), labelled(40))
    with pytest.raises(TooFewLabels):
        fit(store.live(), [Example(f"post {place}", angry=False) for place in range(200)])


def test_an_audience_says_a_little_and_never_against_a_label() -> None:
    assert second.labels_of(Example("x", audience="tier_1")) == {"anger": (1, 0.5), "technical": (0, 0.5), "spam": (0, 0.5)}
    assert second.labels_of(Example("x", audience="tier_2")) == {"technical": (1, 0.5), "spam": (0, 0.5)}
    assert second.labels_of(Example("x", angry=False, audience="tier_1"))["anger"] == (0, 1.0)
    assert second.labels_of(Example("x", audience="set_aside")) == {"spam": (1, 0.5)}
    assert second.labels_of(Example("x", audience="triage")) == {}


def test_one_turned_label_moves_next_to_nothing() -> None:
    examples = labelled(400)
    turned = [*examples[:-1], Example(examples[-1].text, angry=not examples[-1].angry, technical=examples[-1].technical)]
    one, other = (signals(CALM, fit(store.live(), given)).anger for given in (examples, turned))
    assert abs(one - other) < 0.02


def test_a_language_nobody_reads_is_neither_learned_from_nor_guessed(stage: SecondStage) -> None:
    assert signals("fandango gubbins", stage, "fr").anger == signals("fandango gubbins", None, "fr").anger
    french = [Example(f"numéro {place} fandango", angry=place % 2 == 0, lang="fr") for place in range(100)]
    with pytest.raises(TooFewLabels):
        fit(store.live(), french)


def test_chinese_is_learned_from_a_brand_s_labels() -> None:
    cross = [Example(f"第{place}次了，真是够呛的客服态度", angry=True, lang="zh-Hans") for place in range(40)]
    calm = [Example(f"请问{place}号门店几点开门呢", angry=False, lang="zh-Hans") for place in range(60)]
    taught = fit(store.live(), cross + calm)
    text = "真是够呛的快递"
    assert signals(text, taught, "zh-Hans").anger > signals(text, None, "zh-Hans").anger + 0.1
    assert signals("真是夠嗆的快遞", taught, "zh-Hant").anger == signals(text, taught, "zh-Hans").anger


def test_what_learning_is_worth_is_measured_on_posts_it_never_saw() -> None:
    before, after = out_of_fold(store.live(), labelled(300))
    assert before.shape == after.shape == (300, 3)
    true = measure(store.live(), labelled(300))
    assert true.better
    assert true.figures["anger"]["learned"]["auc"] > 0.95 > true.figures["anger"]["start"]["auc"]
    noise = [Example(f"post number {place} about {place % 7} things", angry=place * 7919 % 3 == 0) for place in range(200)]
    assert abs(measure(store.live(), noise).figures["anger"]["learned"]["auc"] - 0.5) < 0.15


def test_equal_texts_never_stand_on_both_sides_of_a_fold() -> None:
    # Every text says the opposite of what its twin says: whoever saw the twin would be wrong for sure, who did not can't tell.
    twins = [Example(f"word{place // 2} thing{place // 2}", angry=place % 2 == 0) for place in range(200)]
    _, after = out_of_fold(store.live(), twins)
    assert np.ptp(after[:, 0]) < 0.25 and after[:, 0] == pytest.approx(after[::2, 0].repeat(2), abs=1e-6)


def test_a_stage_survives_the_way_to_the_database(stage: SecondStage) -> None:
    again = from_bytes(stage.to_bytes())
    assert again.version == stage.version
    assert signals(CROSS, again) == signals(CROSS, stage)


def _forged(stage: SecondStage, **changes: object) -> bytes:
    from dataclasses import replace

    return replace(stage, **changes).to_bytes()


def test_what_is_damaged_or_foreign_is_refused_in_a_sentence(stage: SecondStage) -> None:
    raw = stage.to_bytes()
    header = dict(stage.header)
    for bad, sentence in (
        (b"", "not of the format"),
        (b"\x80\x04\x95pickle", "not of the format"),
        (raw[:-1], "does not match its own hash"),
        (raw[:200] + bytes([raw[200] ^ 1]) + raw[201:], "does not match its own hash"),
        (raw + b"x" * (4 << 20), "larger than 4 MB"),
        (_forged(stage, header={**header, "features": ["other"]}), "another version of the product"),
        (_forged(stage, header={**header, "heads": ["anger"]}), "another version of the product"),
        (_forged(stage, bias=np.array([np.nan, 0, 0], dtype=np.float32)), "bias that are not 3 finite numbers"),
        (_forged(stage, words=stage.words[:-1]), "words that are not"),
        (_forged(stage, bias=np.zeros(3)), "bias that are not"),
    ):
        with pytest.raises(BadArtefact, match=sentence):
            from_bytes(bad)


def test_a_body_that_is_no_set_of_arrays_is_refused_though_its_hash_is_right() -> None:
    import hashlib

    for body in (b"", b"PK\x05\x06" + b"\0" * 18, b"not a zip"):
        with pytest.raises(BadArtefact, match="not a set of plain arrays"):
            from_bytes(f"{second.FORMAT} {hashlib.sha256(body).hexdigest()}\n".encode() + body)


def test_two_thousand_labels_are_learned_in_seconds() -> None:
    assert best_seconds(lambda: fit(store.live(), labelled(2_000)), 10) < 10
