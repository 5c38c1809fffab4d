"""What the desk and the review queue cost with 10,000 mentions and 2,000 open tasks, and with 1,000,000 and 200,000.

Rows are made by the database itself, as intake would have written them. VOUCH_BENCH_TASKS names the numbers of open tasks; there are
five mentions to each. Milliseconds of processor time (web and database), and of the wall what 95 of 100 requests stay under.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import text, update

from app.accounts.models import Brand
from app.kernel.db import db
from community.advocates.models import Advocate
from community.channels.models import ChannelAccount
from community.tasks import finding
from community.tasks.models import Task
from community.tasks.waiting import PATIENCE
from tests import factories
from tests.bench import stage
from tests.bench.bench_pages import measured, settle
from tests.harness.visitor import Visitor

TASKS = os.environ.get("VOUCH_BENCH_TASKS", "2000,200000")
MENTIONS_EACH = 5
WAITING, HELD = 300, 60
"""Replies that wait for a moderator, and tasks of the desk that somebody holds."""
PAGES = {
    "desk": ("ada", "/desk"),
    "desk_topic": ("ada", "/desk?topic=delivery"),
    "desk_language": ("ada", "/desk?lang=ja"),
    "desk_oldest": ("ada", "/desk?order=oldest"),
    "desk_search": ("ada", "/desk?q=reset+the+hub"),
    "desk_search_rare": ("ada", "/desk?q=9995"),
    "desk_search_rare_first": ("ada", "/desk?q=9995+reset"),
    "reviews": ("mo", "/reviews"),
}
NUMBERS = {
    True: "SELECT n FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS s(n)",
    False: "WITH RECURSIVE s(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM s WHERE n < :last) SELECT n FROM s",
}
LANG = "CASE WHEN n % 100 < 80 THEN 'en' WHEN n % 100 < 88 THEN 'ja' WHEN n % 100 < 94 THEN 'zh-Hans' WHEN n % 100 < 98 THEN 'de' ELSE 'und' END"
CATEGORY = (
    "CASE n % 11 WHEN 0 THEN 'question' WHEN 1 THEN 'how_to' WHEN 2 THEN 'complaint' WHEN 3 THEN 'billing' WHEN 4 THEN 'delivery' WHEN 5 THEN 'account'"
    " WHEN 6 THEN 'technical' WHEN 7 THEN 'outage' WHEN 8 THEN 'praise' WHEN 9 THEN 'feature_request' ELSE 'other' END"
)
LANE = "CASE WHEN n % 11 = 8 THEN 'thank' WHEN n % 37 = 0 THEN 'hostile' WHEN n % 11 < 2 THEN 'easy' ELSE 'plain' END"
CONVERSATIONS = "INSERT INTO conversation (id, brand_id, account_id, root_ext_id, last_at) SELECT n, :brand, :account, 'r' || n, :now FROM ({numbers}) AS m"
MENTIONS = (
    "INSERT INTO mention (id, brand_id, account_id, ext_id, conversation_id, author_ext_id, author_handle, author_name, text, lang, kind, private, by_brand,"
    " posted_at, received_at, reply_ref, summons, raw) SELECT n, :brand, :account, 'm' || n, (n + 4) / 5, 'a' || n % 50021, 'a' || n % 50021, 'Author ' || n,"
    " 'Post number ' || n || ': how do I reset the hub in the hall, and does the light have to blink while I hold it?', {asked}, 'mention', {no}, {no},"
    " :now, :now, '{{}}', '[]', '{{}}' FROM ({numbers}) AS m"
)
DECISIONS = (
    "INSERT INTO decision (brand_id, mention_id, at, audience, priority, kind, anger, technical, spam, urgency, sentiment, category, tags, reasons, words,"
    " policy, classifier) SELECT :brand, n, :now, 'community', n % 60, 'answer', 0.05, 0.05, 0.01, 0.1, 0, 'question', '[]', '[]', '[]', 'bench', 'bench'"
    " FROM ({numbers}) AS m"
)
OPENED = {
    True: "CAST(:now AS timestamptz) - n * interval '1 millisecond'",
    False: "strftime('%Y-%m-%d %H:%M:%f', :now, '-' || (n / 1000.0) || ' seconds') || '000'",
}
TASKS_SQL = (
    "INSERT INTO task (id, brand_id, conversation_id, mention_id, state, audience, kind, priority, category, lang, lane, opened_at, reopened)"
    " SELECT n, :brand, n, n * 5, 'open', 'community', CASE WHEN n % 11 = 8 THEN 'thank' ELSE 'answer' END, (n * 7919) % 60, {category}, {lang}, {lane},"
    " {opened}, 0 FROM ({numbers}) AS m"
)


def main() -> None:
    app, _ = stage.application()
    app.test_client_class = Visitor
    with db.transaction() as session:
        brand = factories.brand(**{PATIENCE.name: 7 * 24 * 60})
        account = factories.account(brand)
        ada = factories.person("ada", brand, "advocate", trust=2)
        factories.person("mo", brand, "moderator")
        crowd = [factories.person(f"crowd{number}", brand, "advocate", password=None) for number in range(WAITING + HELD)]
        session.execute(update(Advocate).where(Advocate.user_id == ada.id).values(languages=["en", "ja"], topics=["how_to", "delivery", "account"]))
    figures: dict[str, dict[str, dict[str, float]]] = {}
    indexed: dict[str, float] = {}
    done = 0
    for size in map(int, TASKS.split(",")):
        pile_up(brand, account, done, size)
        if not done:
            for number, person in enumerate(crowd):
                task = _task(number * 5 + 1)
                (factories.submitted if number < WAITING else factories.claimed)(task, person)
        done = size
        began = time.perf_counter()
        finding.tidy()
        indexed[str(size)] = time.perf_counter() - began
        settle()
        figures[f"{size * MENTIONS_EACH} mentions, {size} open tasks"] = {page: measured(app, who, path) for page, (who, path) in PAGES.items()}
    small, *_, large = figures.values()
    stage.tell(at=figures, index_seconds=indexed, growth={page: large[page]["total_ms"] / costs["total_ms"] for page, costs in small.items()})


def pile_up(brand: Brand, account: ChannelAccount, have: int, want: int) -> None:
    """Open tasks from number `have` + 1 to `want`, each about the last of five posts of a conversation of its own."""
    now = datetime.now(UTC) - timedelta(minutes=30)
    said = now if db.is_postgres else now.strftime("%Y-%m-%d %H:%M:%S.%f")
    fit = {
        "numbers": NUMBERS[db.is_postgres],
        "lang": LANG,
        "asked": LANG.replace("n %", "((n + 4) / 5) %"),
        "lane": LANE,
        "category": CATEGORY,
        "opened": OPENED[db.is_postgres],
        "no": "false",
    }
    with db.transaction() as session:
        for statement, each in ((CONVERSATIONS, 1), (MENTIONS, MENTIONS_EACH), (DECISIONS, MENTIONS_EACH), (TASKS_SQL, 1)):
            values = {"brand": brand.id, "account": account.id, "now": said, "first": have * each + 1, "last": want * each}
            # What is put in stands above, none of it comes from outside.
            session.execute(text(statement.format(**fit)), {name: value for name, value in values.items() if f":{name}" in statement.format(**fit)})
        if db.is_postgres:
            for table in ("conversation", "mention", "task"):
                session.execute(text("SELECT setval(pg_get_serial_sequence(:name, 'id'), (SELECT max(id) FROM mention))"), {"name": table})


def _task(number: int) -> Task:
    with db.transaction(read_only=True) as session:
        return session.get_one(Task, number)


if __name__ == "__main__":
    main()
