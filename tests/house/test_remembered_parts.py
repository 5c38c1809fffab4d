"""Small parts of pages are put together once a process. What is remembered is read by everybody, so it is never a person's words, and never markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment, nodes
from markupsafe import Markup

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
KIT = TEMPLATES / "components/kit.html"

REMEMBERED = {"ch", "tag", "price"}
"""The parts that the kit remembers. `ch` is given a network's mark and a channel's name, `price` points with the reasons of the rules."""
FROM_OUR_LISTS = {"audience", "category", "language", "role", "word"}
"""Filters that make a word of ours from a code of ours."""
MAKE_NUMBERS = {"counted", "length", "number", "weight"}
LISTED = {
    ("flags/_list.html", "one.name"),  # of FLAG_NAMES
    ("cases/_list.html", "line.priority[0]"),  # of render.priority, as the next two
    ("cases/show.html", "priority[0]"),
    ("mentions/show.html", "priority[0]"),
    ("learning/_list.html", "state[0]"),  # of learning.STATES, as the next
    ("learning/show.html", "state[0]"),
    ("mentions/show.html", "f.name"),  # a feature's code
}
NUMBERS = {
    "agreed", "answered", "approved", "decided", "looking", "open", "share", "trust_level",
}  # fmt: skip
"""Attributes and names that hold a number."""
GIVEN = {"ch": {"card.post.channel", "head.channel", "line.channel", "out.channel", "post.channel", "row.channel"}, "price": {"card.price", "price"}}


def calls(source: str) -> Iterator[tuple[str, nodes.Call]]:
    for call in Environment().parse(source).find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr) and isinstance(call.node.node, nodes.Name) and call.node.node.name == "k" and call.node.attr in REMEMBERED:
            yield call.node.attr, call


def spelled(node: nodes.Node) -> str:
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{spelled(node.node)}.{node.attr}"
        case nodes.Getitem(arg=nodes.Const()):
            return f"{spelled(node.node)}[{node.arg.value}]"
    return type(node).__name__


def ours(template: str, node: nodes.Node) -> bool:
    """Whether an expression can only come out as words of ours, from a short list, or as a number."""
    match node:
        case nodes.Const():
            return True
        case nodes.Concat():
            return all(ours(template, part) for part in node.nodes)
        case nodes.CondExpr():
            return ours(template, node.expr1) and (node.expr2 is None or ours(template, node.expr2))
        case nodes.Filter(name=name) if name in FROM_OUR_LISTS | MAKE_NUMBERS:
            return all(ours(template, arg) for arg in node.args)
        case nodes.Filter(name="lower" | "capitalize"):
            return node.node is not None and ours(template, node.node)
        case nodes.Getitem(node=nodes.Dict() as words):
            return all(isinstance(pair.value, nodes.Const) for pair in words.items)
        case nodes.Call(node=nodes.Getattr(node=nodes.Dict() as words, attr="get")):
            return all(isinstance(pair.value, nodes.Const) for pair in words.items) and all(ours(template, other) for other in node.args[1:])
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            words = spelled(node)
            return words.split(".")[-1] in NUMBERS or (template, words) in LISTED
    return False


def strangers(template: str, source: str) -> list[str]:
    found = []
    for part, call in calls(source):
        said = call.args[0] if call.args else None
        if said is None or call.kwargs or call.dyn_args or call.dyn_kwargs:
            found.append(f"{template}:{call.lineno} k.{part}: name its words first, and plainly")
        elif part == "tag" and not all(ours(template, arg) or (place and isinstance(arg, nodes.Getitem)) for place, arg in enumerate(call.args)):
            found.append(f"{template}:{call.lineno} k.tag({spelled(said)}): can these be a person's words? Say k.fresh_tag")
        elif part in GIVEN and spelled(said) not in GIVEN[part]:
            found.append(f"{template}:{call.lineno} k.{part}({spelled(said)}): is this always a {part} of ours?")
    return found


def test_the_kit_remembers_no_more_than_is_known_here() -> None:
    assert set(re.findall(r"set (\w+) = remember\(", KIT.read_text())) == REMEMBERED
    others = [path.name for path in TEMPLATES.rglob("*.html") if path != KIT and "remember(" in path.read_text()]
    assert not others, others


def test_what_is_remembered_is_given_words_of_ours_alone() -> None:
    found = [line for path in sorted(TEMPLATES.rglob("*.html")) for line in strangers(path.relative_to(TEMPLATES).as_posix(), path.read_text())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "{{ k.tag(mention.text) }}",
        "{{ k.tag(person.name, 'ok') }}",
        "{{ k.tag('by ' ~ writer.name) }}",
        "{{ k.tag(words|safe) }}",
        "{{ k.tag('a' if it else note) }}",
        "{{ k.tag({'a': 'b'}.get(code, code)) }}",
        "{{ k.tag(text=note) }}",
        "{{ k.tag('angry', note) }}",
        "{{ k.ch(person) }}",
        "{{ k.price(form.price) }}",
    ],
)
def test_a_call_with_other_words_is_found(source: str) -> None:
    assert len(strangers("desk/_list.html", source)) == 1


def test_markup_and_the_same_plain_words_are_never_taken_for_each_other(app: Flask) -> None:
    """Equal as strings, they are not the same thing: one is escaped, one is not."""
    with app.test_request_context():
        tag = app.jinja_env.get_template("components/kit.html").module.tag  # type: ignore[attr-defined]
        words = "<b>an odd word</b>"
        assert words in tag(Markup(words), "ok")
        assert words not in tag(words, "ok")
        assert "&lt;b&gt;" in tag(words, "ok")
