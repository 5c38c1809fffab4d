"""How hostile a reply of ours sounds. The classifier learned how customers are angry; an answer offends by a few words about the person."""

from __future__ import annotations

import re

INSULT = 0.95
"""What an insult weighs: clearly hostile, whatever the classifier makes of the rest."""

_THEM = r"(?:an?\s|such\s(?:an?\s)?|so\s|too\s|really\s|just\s|obviously\s|clearly\s|being\s){0,3}"
_INSULTS = re.compile(
    rf"(?<!\w)(?:you(?:['’]re|\sare)?\s{_THEM}(?:idiots?|morons?|stupid|dumb|fools?|liars?|losers?|clueless|pathetic|ignorant|lazy|ridiculous|incompetent"
    rf"|useless)"
    r"|are\syou\s(?:really\s)?(?:stupid|dumb|blind|deaf|an?\sidiot|kidding|serious)"
    r"|(?:dumb|stupid|idiotic|moronic|ridiculous)\s(?:question|customer|people|person|complaint)"
    r"|shut\s(?:the\s\w{4}\s)?up|get\slost|stop\s(?:whining|crying|moaning|complaining|bitching)|nobody\s(?:cares|asked)|no\sone\scares"
    r"|your\sown\s(?:damn\s|bloody\s|stupid\s|fucking\s)?fault|learn\s(?:how\s)?to\sread|use\syour\s(?:brain|head|eyes)|wast(?:e|ing)\s(?:my|our)\stime"
    r"|rtfm|wtf|stfu|gtfo|fuck(?:ing)?\s(?:you|off|idiot|stupid)|f\*+k|piss\soff|screw\syou|go\sto\shell|morons?|imbeciles?|dickheads?|assholes?|retards?"
    r"|scumbags?|dumbass)(?!\w)"
    r"|(?:^|[.!?,]\s)go\saway(?!\w)"
    r"|白痴|白癡|傻[逼瓜子叉屄]|笨蛋|蠢货|蠢貨|脑残|腦殘|闭嘴|閉嘴|(?<!翻)(?<!摇)滚(?:开|蛋|吧|出)|滾(?:開|蛋|吧|出)|没人在乎|沒人在乎|活该|活該"
    r"|废物|廢物|神经病|神經病|你瞎|有病吧|自找的|混蛋|王八蛋|去死"
    r"|バカ|馬鹿|黙れ|うるさい|멍청|바보|닥쳐|꺼져",
    re.IGNORECASE,
)  # fmt: skip


def hostility(text: str) -> float:
    """0, or `INSULT` where the words go against the reader."""
    return INSULT if _INSULTS.search(text.replace("’", "'")) else 0.0
