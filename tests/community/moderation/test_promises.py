"""What only the brand may promise is stopped with words to use instead; help that promises nothing is let through."""

from __future__ import annotations

import pytest

from community.moderation.checks.promises import found

PROMISED = """
Northwind will refund you
Write to us and we refund you
We can fully reimburse the month
we'll definitely refund the whole month
You'll get your money back
you will receive a voucher for that
You are entitled to compensation
They owe you a refund
Your refund is on its way
I've refunded your last bill
They will give you a free month
You get a full refund, no questions asked
we will credit your account
It won't cost you anything
The repair is free of charge
They do it for free
You get 20 % off
It costs only $5 a month
The price stays the same
Price will drop next month
It will be fixed by Friday
It'll be delivered tomorrow
The fix comes next week
The engineer arrives on Monday
Your parcel should be there within two days
It should be back online in a few hours
They are going to release it in 3 weeks
I guarantee it works
we promise you
Guaranteed to work
It won't happen again, you have our word
I'm 100% sure
You should sue them
you can take legal action
That's illegal
By law they must answer
You have a statutory right to it
Under consumer law you may cancel
Take two ibuprofen
Stop taking the pills
It cures migraine
It's safe for pregnant women
You probably have an infection
他们会给你退款
肯定会赔偿的
我们可以给您退款
你会收到优惠券
全额退款
免费维修
打8折
只要99元
我们保证没问题
承诺三天内修好
明天就能修好
下周一恢复
3个工作日内到账
你可以起诉他们
这是违法的
这个药不用停药吗 服用两片
能治好头痛
他們會給你退款
肯定會賠償
免費維修
我們保證沒問題
下週恢復
3天內到帳
這是違法的
Wir werden Ihnen den Betrag erstatten
Das ist kostenlos
C'est gratuit
Nous vous rembourserons
Es gratis
返金します
환불해 드립니다
You’ll get a replacement
""".strip().splitlines()
PLAIN = """
Ask the team for a refund, they decide that.
I can't promise that it helps.
Nobody can guarantee that.
The team can look at your case.
It will be back after the restart, in about two minutes.
The light will be white within ten seconds.
Hold the small button for ten seconds.
I don't know whether they will refund it.
Ask the team whether we can refund it.
Feel free to ask again.
You can free some space first.
The update was released last week.
Set the channel by hand, that fixed it for me.
You have to sign in on Monday's bill page.
Check the price on the page of plans.
My own order came after three days.
It should be faster on 5 GHz.
Take the plug out and wait.
The plan has a discount page, look there.
你可以向客服申请退款。
不能保证每次都行。
按住按钮十秒。
更新后重启三次就好了。
我不知道会不会退款。
I got mine repaired last year.
Take the two cables out.
You can return it at the shop.
You get an e-mail with a link.
You should get a white light.
You will have a new password then.
The card has credit on it? Look under Balance.
It is on by default in version 4.
You can have it on in two rooms.
The hub will be found by the app in a moment.
They told me to wait a day.
The replacement of the battery is on page 12.
""".strip().splitlines()


@pytest.mark.parametrize("text", [*PROMISED, "Northwind wi\u200bll refund you", "Ｎｏｒｔｈｗｉｎｄ ｗｉｌｌ ｒｅｆｕｎｄ ｙｏｕ"])
def test_a_promise_is_found_with_words_to_use_instead(text: str) -> None:
    promised = found(text)
    assert promised
    assert all(one.offer and text[one.start : one.end].strip() for one in promised)


@pytest.mark.parametrize("text", PLAIN)
def test_help_promises_nothing(text: str) -> None:
    assert [text[one.start : one.end] for one in found(text)] == []


def test_each_promise_is_named_for_what_it_is() -> None:
    said = "You'll get your money back by Friday, and take two ibuprofen, it's illegal anyway. I guarantee it costs only $5."
    assert {one.what for one in found(said)} >= {"money", "legal advice", "medical advice", "a guarantee", "a price"}


def test_a_brand_promises_under_its_own_name_too() -> None:
    for text, name in (("Acme guarantees it", "Acme"), ("Fern & Co. has refunded others", "Fern & Co."), ("acme  home promised me", "Acme Home")):
        assert found(text, name), text
    assert not found("Acme guarantees it", "Kestrel"), "another company's guarantee is nobody's promise here"
