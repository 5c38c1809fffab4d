"""Texts with gaps: kept by the brand's people, offered in the post's language, filled with what is known and nothing a stranger slips in."""

from __future__ import annotations

import pytest

from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid
from community.moderation import checks
from community.tasks.queries import task_of
from community.texts import actions as texts
from community.texts.models import Snippet
from community.texts.queries import Offer, offers, snippets_of
from tests import factories as make
from tests.community.conftest import Town


def kept(town: Town, name: str = "hello", lang: str = "en", body: str = "Hello {author}, which {model} is it?") -> Snippet:
    with db.transaction():
        return texts.keep(town.brand, by=town.cleo, name=name, lang=lang, body=body)


def offered(town: Town, **post: object) -> dict[str, Offer]:
    task = make.task(town.account, "How?", **post)
    with db.transaction(read_only=True):
        return {one.name: one for one in offers(task_of(town.ada, task.id), town.ada)}


def test_what_is_known_fills_itself_and_the_rest_stays_open(town: Town) -> None:
    kept(town)
    words = offered(town, author="petra")["hello"].body
    assert words == "Hello petra, which {model} is it?"
    assert [one.quote for one in checks.placeholders(words)] == ["{model}"]


def test_a_strangers_name_is_data(town: Town) -> None:
    """A name with braces would open a gap, one with line ends could write lines of its own."""
    kept(town, body="Hello {author}.")
    assert offered(town, author="{brand}\n\nCall <b>[name]")["hello"].body == "Hello brand Call b name."


def test_the_nearest_language_is_offered(town: Town) -> None:
    for lang, body in (("en", "Hello"), ("zh-Hans", "你好"), ("de", "Hallo")):
        kept(town, lang=lang, body=body)
    kept(town, name="nur", lang="de", body="Nur deutsch")
    assert offered(town, lang="zh-Hans")["hello"].body == "你好"
    assert offered(town, lang="zh-Hant")["hello"].body == "你好"
    assert offered(town, lang="de")["hello"].body == "Hallo"
    assert {name: one.lang for name, one in offered(town, lang="fr").items()} == {"hello": "en"}


def test_keeping_it_again_changes_its_words(town: Town) -> None:
    first, again = kept(town), kept(town, name="/HELLO", body="Hi {author}")
    assert first.id == again.id
    with db.transaction(read_only=True):
        assert [one.body for one in snippets_of(town.brand)] == ["Hi {author}"]


def test_removed_it_is_not_offered_and_can_come_back(town: Town) -> None:
    one = kept(town)
    with db.transaction():
        texts.remove(make.fresh(one), by=town.cleo)  # type: ignore[type-var]
    assert offered(town) == {}
    with db.transaction():
        texts.restore(make.fresh(one), by=town.cleo)  # type: ignore[type-var]
    assert list(offered(town)) == ["hello"]
    with db.transaction():
        texts.remove(make.fresh(one), by=town.cleo)  # type: ignore[type-var]
    kept(town, body="Another")
    with pytest.raises(Conflict), db.transaction():
        texts.restore(make.fresh(one), by=town.cleo)  # type: ignore[type-var]


@pytest.mark.parametrize(
    "given", [{"name": "two words"}, {"name": ""}, {"name": "x" * 41}, {"name": "-"}, {"body": " "}, {"body": "x" * 2001}, {"lang": ""}, {"lang": "x" * 17}]
)
def test_what_can_not_be_kept_says_which_part(town: Town, given: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        kept(town, **given)
    assert refused.value.field in given


def test_advocates_use_them_and_do_not_keep_them(town: Town) -> None:
    with pytest.raises(Forbidden), db.transaction():
        texts.keep(town.brand, by=town.ada, name="hello", lang="en", body="Hello")


def test_another_brand_has_its_own(town: Town) -> None:
    other = make.brand("kestrel", "Kestrel")
    with db.transaction():
        texts.keep(other, by=make.person("kim", other, "moderator"), name="hello", lang="en", body="Theirs")
    assert offered(town) == {}
