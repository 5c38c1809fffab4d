"""A policy is data that is checked: what nothing understands is refused with a sentence."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from escalation.routing.policy import DEFAULT, BadPolicy, default_policy, load, parse

TEXT = DEFAULT.read_text("utf-8")
FIRST_RULE = TEXT[: TEXT.index("[[rules]]")]
LAST_RULE = '[[rules]]\nname = "community"\nsays = "a customer can answer this"\nwhen = {}\naudience = "community"\n'
PRIVATE_RULE = '[[rules]]\nname = "private"\nsays = "private"\nwhen = { private = true }\naudience = "tier_1"\n'


def rule(**parts: str) -> str:
    return "[[rules]]\n" + "".join(f"{key} = {value}\n" for key, value in parts.items())


def test_the_default_policy_is_sound_and_frozen() -> None:
    policy = default_policy()
    assert policy.version.startswith("2026-11-22-")
    assert policy.rules[-1].audience == "community"
    assert policy.lines["anger"].cost == 5 and policy.lines["technical"].cost == 3
    with pytest.raises(FrozenInstanceError):
        policy.version = "another"  # type: ignore[misc]


def test_the_version_changes_with_the_content() -> None:
    assert parse(TEXT.encode()).version == default_policy().version
    assert parse((TEXT + "# a remark\n").encode()).version != default_policy().version


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[", "not valid TOML"),
        ("", "needs a date"),
        ("date = 2026-11-22\n", "table lines"),
        (FIRST_RULE, "at least one rule"),
        (FIRST_RULE.replace("low = 0.10", "low = 0.90"), "lines.anger needs"),
        (FIRST_RULE.replace("low = 0.10", 'low = "a"'), "lines.anger needs"),
        (FIRST_RULE.replace("low = 0.10", "low = nan"), "lines.anger needs"),
        (FIRST_RULE.replace("cost = 5", "cost = 0"), "cost above 0"),
        (FIRST_RULE.replace("both = 20", 'both = "x"'), "priority.both"),
        (FIRST_RULE + rule(name='"a"'), "a name and what it says"),
        (FIRST_RULE + rule(name='"a"', says='"b"', when="{}", audience='"everybody"'), "needs an audience"),
        (FIRST_RULE + rule(name='"a"', says='"b"', when="{}", audience='"tier_1"', kind='"dance"'), "needs a kind"),
        (FIRST_RULE + rule(name='"a"', says='"b"', when="{ mood = true }", audience='"tier_1"'), "nothing understands: mood"),
        (FIRST_RULE + rule(name='"a"', says='"b"', when='{ anger = "high" }', audience='"tier_1"'), "nothing understands: anger"),
        (FIRST_RULE + rule(name='"a"', says='"b"', when='{ topics = ["weather"] }', audience='"tier_1"'), "nothing understands: topics"),
        (FIRST_RULE + rule(name='"a"', says='"b"', when="{}", audience='"tier_1"', colour='"red"'), "unknown part: colour"),
        (FIRST_RULE + PRIVATE_RULE, "must match everything"),
        (FIRST_RULE + PRIVATE_RULE + PRIVATE_RULE + LAST_RULE, "same name"),
        (FIRST_RULE + LAST_RULE, "would send a private message to community"),
        (FIRST_RULE + LAST_RULE.replace("community", "tier_1"), "No rule sends private"),
    ],
)
def test_a_bad_policy_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(BadPolicy, match=sentence):
        parse(text.encode())


@pytest.mark.parametrize("audience", ["community", "triage", "set_aside"])
def test_no_order_of_rules_can_lead_a_private_message_out_of_the_house(audience: str) -> None:
    leak = rule(name='"leak"', says='"x"', when="{ praise = true }", audience=f'"{audience}"')
    with pytest.raises(BadPolicy, match="private message"):
        parse((FIRST_RULE + leak + PRIVATE_RULE + LAST_RULE).encode())
    parse((FIRST_RULE + PRIVATE_RULE + leak + LAST_RULE).encode())


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadPolicy, match="cannot be read"):
        load(tmp_path / "none.toml")
