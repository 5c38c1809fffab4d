"""Words that mean something to a service desk, by signal and strength, in English and Chinese.

Written for this product from general knowledge of how customers write, so it carries no licence but ours.
Strength 1 leans, 2 says so, 3 leaves no doubt. A `*` at the end of a word stands for any ending. The longest
phrase at a place wins ("thanks for nothing" is no thanks).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

SIGNALS = ("anger", "swearing", "technical", "praise", "thanks", "stuck", "spam", "polite", "billing", "delivery", "account", "feature_request", "how_to",
           "outage", "safety", "legal", "security", "press", "repeat", "deadline", "tension", "disappointed", "harmless")  # fmt: skip

# What urgency and the policy ask about by name.
TOPICS = ("outage", "safety", "legal", "security", "press", "repeat", "deadline")

_ENGLISH: dict[str, dict[int, str]] = {
    "anger": {
        3: """
            worst; disgrace*; pathetic; furious; disgust*; appalling; appalled; outrag*; livid; fuming; pissed; scam*; ripoff; rip off; ripped off;
            con artists; thieves; crooks; liars; incompeten*; shame on you; shame on; shameful; thanks for nothing; thank you for nothing;
            thanks for wasting; what a joke; is a joke; are a joke; total joke; complete joke; absolute joke; you people; sick of; sick and tired;
            fed up; had enough; hate you; hate this company; i hate; i despise; useless; worthless; garbage; trash; never again; never fly* again;
            never using; never buy* again; never use * again; last time i; lost a customer; lost my business; lost my custom; lose a customer;
            losing a customer; take my business elsewhere; taking my business; boycott*; get your act together; get it together; get your * together;
            get ur * together; do better; sort it out; sort yourselves out; sort your * out; fix your; unacceptable; inexcusable; ridiculous*;
            ludicrous; absurd; idiots; idiotic; morons; moron; clowns; stupid; horrible; horrendous; terrible; awful; atrocious; abysmal; nightmare;
            disaster; fiasco; shambles; joke of a; from hell; screwed me; screwed up; screwed us; screw you; screw this; stinks; sucks; sucked; suck;
            sux; wtf; wth; ffs; stfu; gtfo; what the hell; what the heck; the hell; how dare you; infuriat*; enraged; angry; so mad; mad at; rude;
            rudest; insult*; lied to; lying; liar; lies; bullshit; bs; crap; crappy; waste of time; wasting my time; wasted my time; waste of money;
            wasting; don't care; dont care; couldn't care less; zero help; no help at all; unhelpful; unprofessional; negligen*; abusive; robbed;
            robbing; robbery; stealing; stole; stolen from me; cancelling my; canceling my; cancel my membership; cancel my subscription;
            cancel my account; switching to; i'm switching; i'm done with; im done with; done with you; so done; over it; go to hell; rot in hell;
            shit show; clusterfuck; trash company; treat your customers; treat customers; treat people; is this a joke; are you kidding;
            you kidding me; kidding me; you serious; are you serious; is this how you; is this the service; call this service; the audacity;
            how hard is it; how difficult is it; get lost; fire your; should be ashamed; ashamed of; worse than; worst service; bad service;
            poor service; poor customer service; terrible service; bad customer service; horrible customer service; awful customer service;
            no customer service; customer service sucks; lack of customer service; shocking service; shocking; service fail; epic fail; fail; failing;
            failure; fails; failed me; failed us; insult to injury; beyond a joke; beyond frustrated; beyond angry; beyond upset; taking the piss;
            taking the mick; having a laugh; too much to ask; no sense of urgency; answer your phone; answer your phones; answer the phone;
            pick up the phone; amateur hour; amateurs; cowboys; circus; clown show; daylight robbery; extort*; held hostage; holding my; abandoned;
            left hanging; fobbed off; no respect; deserve better; expect better; expected better; expect more from; what am i paying; what do i pay;
            paying for nothing; paying you for; don't promise; explain yourself; explain yourselves; right mind; omfg; argh*; grr*; ugh; smfh; kmt;
            dumb; dumbest; crooked; nerve; disgraceful; hellish; ruined; worst experience; zero stars; never been so; lost all faith; lost all respect;
            lost all patience; out of patience; losing patience; losing my patience; patience is; i am done; i'm done; im done; done with this;
            bye bye; goodbye; good riddance""",
        2: """
            annoy*; frustrat*; irritat*; upset; unhappy; dissatisf*; rubbish; dreadful; poor; unreal; unbelievable; incredibl* slow; seriously;
            come on; cmon; enough is enough; for hours; hours on hold; on hold for; been on hold; waited for hours; waiting for hours; hung up on me;
            hung up; hangs up; ignored; ignoring; ignore me; ignore us; ignores; no response; no reply; no answer; no one answers; nobody answers;
            no explanation; no apology; no communication; no excuse; excuses; run around; runaround; passed around; passed from; no clue; clueless;
            don't know what; makes no sense; doesn't make sense; broken record; what's the point; what is the point; whats the point; why bother;
            why do you; why can't you; why cant you; why would you; why are you; how can you; how do you; what kind of; what are you doing;
            do your job; doing your job; lame; bunch of; still waiting; overpriced; greedy; greed; money grab; cash grab; charging me for; misled;
            misleading; false advertising; falsely; dishonest; broken promises; promised; stop lying; stop charging; stop sending; stop calling;
            stop spamming; stop; leave me stranded; left me; left us; stranded; stuck for hours; nothing but; nothing but problems; third time;
            3rd time; again and again; over and over; every single time; every time; once again; yet again; yet another; as usual; as always; typical;
            hate; hating; hated; damn; dammit; damnit; bloody; freaking; frickin*; effing; fn; smh; smdh; facepalm; bad experience; poor experience;
            horrid; mess; messed up; joke; laughable; comical; not good enough; not acceptable; not okay; not cool; isn't cool; not impressed;
            not happy; thanks a lot for; way to go; good job ruining; great job ruining; nice job; bravo; slow clap; congrats on; congratulations on;
            well done for; thx for; love to make me wait; love how; love when; i love being; gotta love; so much for; glad i; ruin*; wrecked;
            destroyed; killing me; driving me crazy; drives me crazy; driving me mad; driving me insane; insane; crazy; nuts; embarrass*; arrogant;
            careless; disrespect*; disorganized; disorganised; unorganized; chaos; cluster; hell; shady; fraudulent; monopoly; evil; blame; complaint;
            complain; complaining; wasted; lost my; refuse*; refusing; forced to; forcing; punish; punishing; can't even; cant even; won't even;
            wont even; didn't even; didnt even; don't even; dont even; not even; doesn't even; no one cares; nobody cares; never works; never work;
            never responded; never respond; never answered; never returned; still no; still nothing; still haven't; still hasnt; still hasn't;
            still havent; switch to; go elsewhere; competitor*; leaving you; i'm leaving; im leaving; another provider; better service""",
        1: """
            disappoint*; sad; unfortunately; slow; late; delayed; delay; again; finally; really; wait; waiting; hours; hour; hrs; ago; days; weeks;
            months; still; nobody; no one; nothing; never; wrong; lost; missed; charged; problem; problems; issue; issues; bad; worse; broken;
            customer service; customer support; employees; staff; manager; supervisor; rep; reps; agents; unable; impossible; supposed to; why;
            explain; literally; obviously; apparently; somehow; instead; cancelled; canceled""",
    },
    "swearing": {
        3: """
            fuck*; fuk; fck*; fuckin; f*ck*; f**k*; fkn; motherfuck*; mf; shit; shitty; shite; bullshit; sh*t*; s**t*; bitch*; b*tch*; ass; asses; asshole*;
            arse; arsehole; a-hole; bastard*; dick; dickhead*; cunt*; piss; pissed; whore*; douche*; twat*; wanker*; prick*; dumbass; jackass; goddamn;
            wtf; wtaf; ffs; gtfo; stfu; af; bs""",
        2: """damn; dammit; damnit; crap; crappy; hell; bloody; freaking; frickin*; effing; fn; eff; suck; sucks; screw; crapy; heck; wth""",
    },
    "technical": {
        3: """
            error; errors; error code; error message; crash*; bug; bugs; buggy; glitch*; freez*; frozen; froze; reboot*; restart*; reset my router;
            router; modem; wifi; wi-fi; firmware; driver; drivers; update bricked; bricked; ios; ios11; android; windows 10; macos; os x; chromecast;
            bluetooth; lte; 4g; 5g; 3g; broadband; fibre; fiber; dsl; mbps; ping; latency; packet loss; lag; lagging; laggy; doesn't load; won't load;
            wont load; not loading; isn't loading; can't load; cannot load; doesn't open; won't open; wont open; not opening; can't open;
            won't connect; wont connect; can't connect; cant connect; cannot connect; not connecting; doesn't connect; disconnect*; no signal;
            no service; no internet; no connection; lost connection; connection; connectivity; internet; server; servers; server down; timeout;
            timed out; time out; 404; 500; 502; 503; dns; ip address; vpn; proxy; cache; clear cache; cleared cache; reinstall*; re-install*;
            uninstall*; installed; install; installing; installation; factory reset; hard reset; soft reset; power cycle; unplug*; replugged; log in;
            login; log on; logon; logging in; log into; logged out; logs me out; sign in; signing in; signed out; can't log; cant log; cannot log;
            can't sign; authentication; two factor; 2fa; verification code; password reset; reset password; reset my password; blue screen;
            black screen; white screen; blank screen; screen is black; screen; keyboard; battery; battery drain*; overheat*; charger; touch screen;
            touchscreen; sync; syncing; synced; not syncing; playback; buffering; buffer*; stream stops; streaming; pixelat*; no sound; no audio;
            audio; no picture; outage; outages; website is down; site is down; app is down; website down; site down; is down; are down; went down;
            goes down; keeps dropping; dropped calls; call drops; dropping; drops; cuts out; cutting out; coverage; reception; spotty; not working;
            isn't working; doesn't work; doesnt work; don't work; dont work; not work; won't work; wont work; stopped working; stops working;
            quit working; still not working; not responding; unresponsive; malfunction*; broken link; link is broken; api; sdk; stack trace; exception;
            log file; logs; screenshot; corrupted; corrupt; data loss; backup failed; patch; hotfix; having trouble; trouble logging;
            trouble connecting; having issues; having an issue; having problems; won't play; wont play; doesn't play; not playing; can't play;
            can't download; won't download; not downloading; won't update; not updating; can't update; not saving; won't save; didn't save;
            doesn't save; greyed out; grayed out; won't turn on; not turning on; not charging; won't charge; not recognized; not detected; stuck on;
            stuck at; boot; boot loop; booting; rebooting; pop up; popup; popups; autocorrect; pairing; ssid; incorrect password; wrong password;
            draining; drains; drain; wouldn't let me; deactivat*; deauthori*; activation; won't sync; duplicates; greyed; unsupported; compatible;
            compatibility; incompatible; debug*; console; command line; terminal; registry; kernel; latest update; new update; last update;
            latest version; update my app; updated my; since the update; after the update; after updating; since updating; this update; version; build;
            beta""",
        2: """
            app; website; web site; webpage; web page; site; page; browser; chrome; firefox; safari; internet explorer; iphone; ipad; ipod; macbook;
            imac; mac; pc; laptop; computer; desktop; tablet; phone; device; devices; galaxy; samsung; pixel; xbox; ps4; playstation; console;
            controller; roku; apple tv; smart tv; fire stick; firestick; alexa; echo; kindle; apple watch; itunes; icloud; gmail; outlook; office 365;
            excel; photoshop; lightroom; premiere; playlist; playlists; song won't; songs; offline; download*; upload*; stream; play; playing; pause;
            pausing; update; updated; updates; updating; upgrade; upgraded; software; hardware; network; signal; cable; box; dvr; on demand; channels;
            channel; feature; settings; setting; menu; button; click; clicking; tap; link; load; loading; loads; open; opening; connect; connected;
            connecting; text messages; messages; notifications; notification; voicemail; calls; sim; sim card; activate; activation; account page;
            page won't; fix; fixed; fixing; troubleshoot*; technician; tech; tech support; technical; diagnos*; configured; configuration; disable;
            enabled; enable; switch off; turn off; turn on; turned off; works fine; work fine; slow; speed; speeds; data; gb; mb; usb; hdmi; ethernet;
            cord; plug; email isn't; emails; captcha; qr; nfc; contactless; system; systems; online; file; files; format; display*; show up;
            showing up; shows up; disappear*; missing; vanished; randomly; keeps; keep getting; keeps saying; it says; says; won't let me; wont let me;
            doesn't let me; not letting me; can't access; cant access; cannot access; unable to access; access; unable to; won't; wont; doesn't;
            doesnt; unavailable; code; codes; messing up; messes up; acting up; acting weird; weird; fix this; same problem; intermittent*; trying to""",
    },
    "praise": {
        3: """
            thank you so much; thanks so much; thank you very much; thanks a million; awesome; amazing; excellent; fantastic; outstanding; brilliant;
            wonderful; superb; best airline; best service; great service; excellent service; amazing service; great customer service;
            excellent customer service; best customer service; love you; love this; love it; i love; we love; kudos; shout out; shoutout; shout-out;
            props to; hats off; well done; great job; good job; nice work; great work; keep it up; you rock; you guys rock; you guys are the best;
            you're the best; you are the best; the best; much appreciated; really appreciate; i appreciate; appreciate it; appreciate you; appreciated;
            so happy; very happy; happy customer; impressed; very impressed; pleasure; delight*; thrilled; grateful; thankful; lifesaver; life saver;
            saved the day; made my day; above and beyond; 5 stars; five stars; first class; top notch; perfect; perfectly; great flight;
            great experience; great crew; great view; friendly; so helpful; very helpful; super helpful; cheers for; bravo to; recommend;
            highly recommend;
            hell yeah; hell yes; fuck yes; fuck yeah; damn good; so damn good; bloody good; bloody brilliant; bloody lovely; fucking great; fucking good;
            fucking amazing; fucking awesome; fucking love; freaking love; freaking awesome; gorgeous; stunning; divine; delicious; legends""",
        2: """
            thank you; thanks; thx; thnx; ty; tysm; great; good; nice; cool; helpful; happy; glad; enjoy*; enjoyed; love; loved; lovely; loving; best;
            better; beautiful; sweet; excited; yay; woohoo; woot; cheers; congrats; win; winner; quick; fast; easy; smooth; works now; working now;
            all good; sorted; fixed it; worked; so far so good; sounds good; appreciate; kind; treat; real mvp; mvp; fun""",
    },
    "thanks": {
        3: """
            thank you so much; thanks so much; thank you very much; that worked; that did it; it worked; works now; working now; it works;
            it's working; its working; all good now; all good; all sorted; sorted now; sorted; solved; problem solved; issue resolved; resolved;
            fixed now; that fixed it; fixed it; got it working; perfect; brilliant; legend; lifesaver; life saver; you rock; much appreciated;
            back up and running; back online; up and running""",
        2: """thank you; thanks; thx; thnx; ty; tysm; cheers; appreciate it; appreciated; great; awesome; got it; helped; that helped; helpful; grateful""",
    },
    "stuck": {
        3: """
            still not working; still doesn't work; still doesnt work; still not; still no; still nothing; still broken; still the same; still having;
            still won't; still wont; still can't; still cant; still getting; still isn't; still doesn't; still doesnt; still hasn't; still haven't;
            still waiting; same problem; same issue; same error; same thing; same message; same result; nothing changed; no change; no difference;
            no luck; made no difference; didn't work; didnt work; doesn't work; doesnt work; does not work; did not work; not working; isn't working;
            not fixed; isn't fixed; not solved; not resolved; didn't help; didnt help; doesn't help; doesnt help; did not help; does not help;
            not helpful; won't work; wont work; already tried; tried that; tried already; already did; did that already; done that; i did; again;
            it's back; happening again; messes up again; but now; but it; but still; no joy; nope; nah; worse""",
        2: """
            still; not yet; no; error; problem; issue; stuck; can't; cant; cannot; won't; wont; doesn't; doesnt; isn't; how do i; where do i; what now;
            what next; what should i; then what""",
    },
    "spam": {
        3: """
            giveaway; sweepstake*; enter to win; enter for a chance; chance at winning; chance to win; win a; retweet to win; rt to win; rt & follow;
            rt and follow; follow & rt; follow and rt; follow me; follow back; followback; f4f; promo code; coupon code; discount code; use my code;
            use code; referral code; link in bio; click here; click the link; buy now; order now; shop now; free shipping; limited time; act now;
            earn money; make money; work from home; cash app; casino; betting tips; forex; crypto; bitcoin; airdrop; nft; onlyfans; viagra;
            cheap flights; is hiring; now hiring; we're hiring; apply now; job opening; jobs in; check out my; check out our; subscribe to my;
            my channel; my new video; new video; live stream at; full documentary; come visit us; visit us; call us today; contest; raffle;
            free followers""",
        2: """
            stocks in the news; stock; stocks; shares; nasdaq; nyse; investor*; investors; earnings; quarterly; q1; q2; q3; q4; revenue; ceo; merger;
            acquisition; analyst; analysts; market; breaking; news; report; reports; announces; announced; unveils; launches; launch; auction;
            ebay item; for sale; sale; deal; deals; promo; giveaways; sponsor*; sponsored; partner; tickets available; tune in; watch live; live now;
            podcast; blog post; new post; via; read more; article; soccer; football; premier league; striker; transfer; nfl; nba; mlb; touchdown;
            halftime; presented by; match; goal; goals; squad; jersey; shirt; boys; vs""",
    },
    "polite": {
        2: """
            please; pls; plz; kindly; could you; would you; can you please; thank you in advance; thanks in advance; may i; i'd appreciate;
            would appreciate; if possible; sorry to; excuse me; hello; hi; hey; good morning; good afternoon; dear; hope""",
    },
    "billing": {
        3: """
            bill; billed; billing; invoice*; overcharg*; double charged; charged twice; charged; charge; charges; charging; refund*; payment; payments;
            paid; pay; price; prices; pricing; fee; fees; credit card; debit; credit; credited; money back; my money; reimburse*; voucher; coupon;
            discount; autopay; direct debit; subscription; cost; costs; deposit; overage*""",
    },
    "delivery": {
        3: """
            deliver*; delivery; shipping; shipped; ship; shipment; package; parcel; courier; tracking; tracking number; out for delivery; dispatched;
            dispatch; order; ordered; my order; order number; postage; arrive; arrived; baggage; luggage; my bag; lost bag; bags; in transit;
            return label""",
    },
    "account": {
        3: """
            account; my account; password; username; user name; profile; email address; change my email; change my name; change my number;
            change my address; locked out; verify my identity; membership; register; registration; registered; sign up; signed up; delete my account;
            close my account; personal details; reset pin; my pin; blocked; suspended; deactivat*""",
    },
    "feature_request": {
        3: """
            feature request; please add; pls add; plz add; could you add; can you add; should add; wish you; i wish; would be nice; would be great;
            would be cool; would be useful; would be awesome; it would be so; any plans; do you have plans; when will you; when are you going to add;
            bring back; bring the; suggestion; suggest; option to; ability to; allow us to; allow me to; support for; needs a; you should;
            why don't you have; why isn't there""",
    },
    "how_to": {
        3: """
            how do i; how do you; how can i; how to; how would i; how should i; where do i; where can i; what do i do; what do i need; is there a way;
            is it possible; can i; could i; am i able; do i need; do i have to; what's the best way; steps to; show me how; tell me how; help me set;
            which settings""",
    },
    "outage": {
        3: """
            outage; outages; is down; are down; went down; gone down; everything is down; service down; website down; site down; network down;
            internet down; app down; systems down; system down; servers down; server down; down for everyone; down again; down since; all down;
            no internet; no signal anywhere; no power; not working for anyone; is * down; anybody else having; anyone else having; anyone else's;
            whole area; entire area; entire neighborhood; nationwide; power cut; blackout""",
        1: """no service; no signal; no connection; anyone else; everyone; service interruption; offline; area""",
    },
    "safety": {
        3: """
            on fire; caught fire; fire hazard; smoke coming; smoking; burning smell; burnt me; burned me; burned my; burnt my; explod*; explosion;
            electrocut*; electric shock; got a shock; shocked me; injur*; bleeding; in hospital; to hospital; the hospital; hospitalised; hospitalized;
            ambulance; allergic reaction; anaphyla*; food poisoning; poisoned; choked on; glass in my; metal in my; plastic in my; piece of bone;
            bone in my; bone in the; unsafe; dangerous; life threatening; gas leak; carbon monoxide; chest pain; chest pains; unconscious; passed out;
            assaulted; assault; attacked me; harassed; harassment; harassing; molested; raped; stalking me; threatened me; threatened my; suicide;
            suicidal; kill myself; end my life; end it all; want to die; self harm; self-harm; hurt myself; drunk driver; driving recklessly;
            driver crashed; car accident; car crash; insulin; oxygen tank; seizure; heart attack; could have died; almost died; nearly died;
            health and safety; safety hazard; safety risk; safety issue; choking hazard; mold in my; mould in my; maggots; broke my arm;
            medical emergency""",
        1: """
            fire; smoke; burns; burned; burnt; danger; hazard*; accident; emergency; allergy; allergic; allergies; choking; hospital; attacked;
            threatened; child; baby; infant; toddler; wheelchair; disabled; elderly; pregnant; oxygen; medication; recall; sick; ill; police; blood""",
    },
    "legal": {
        3: """
            my lawyer; my lawyers; a lawyer; my attorney; an attorney; my solicitor; a solicitor; lawyers; lawyer up; lawyerup; attorney general;
            lawsuit; law suit; class action; sue you; sue them; suing; will sue; to sue; legal action; legal team; legal proceedings; take legal;
            taking legal; small claims; see you in court; in court; to court; litigation; ombudsman; fcc; ftc; ofcom; ofgem; fca;
            better business bureau; bbb; trading standards; consumer protection; consumer rights; data protection; gdpr; breach of contract;
            discriminat*; racist; racism; racially; racial; report you to; reporting you to; chargeback; illegal; illegally; unlawful; against the law;
            department of transportation; dot complaint; police report; filed a complaint with; press charges; defamation""",
        1: """lawyer; attorney; solicitor; sue; sued; legal; court; regulator; fraud; fraudulent; police; violat*; compensation; rights; contract; terms""",
    },
    "security": {
        3: """
            been hacked; got hacked; was hacked; is hacked; hacked my; hacked into; hacked account; account hacked; hackers; my hacker; phish*;
            stolen card; card stolen; stolen phone; phone stolen; identity theft; stolen identity; identity stolen; someone used my;
            someone else is using; someone is using my; someone using my; someone else's account; someone elses account; unauthori*; data breach;
            security breach; leaked my; data leak; malware; ransomware; compromised; fraudulent charge; fraudulent charges; fraudulent transaction;
            fraudulent activity; fraud on my; fraud alert; fraudulently; not recognised; someone logged; someone has access; someone accessed;
            someone got into; security hole; security flaw; vulnerability; scam email; fake email; phishing email; fake call; scam call; impersonat*;
            exposed my; suspicious activity; suspicious login; suspicious email""",
        1: """hacked; hacker; hacking; virus; leak; leaked; breach; suspicious; stolen; fraud; scam; someone else; exploit; unknown device; privacy""",
    },
    "press": {
        3: """
            i'm a journalist; im a journalist; a journalist at; a journalist with; journalist for; i'm a reporter; im a reporter; a reporter at;
            a reporter with; reporter for; press enquiry; press inquiry; press office; press contact; media enquiry; media inquiry; media contact;
            media relations; request for comment; comment for a story; comment for our story; comment for an article; writing a story;
            writing an article; working on a story; news desk; newsdesk; deadline for comment; interview with your ceo; go to the press;
            going to the press; going to the media; contact the media; go to the media; tell the media; going to the papers""",
        1: """journalist; reporter; newsroom; correspondent; press; media; interview""",
    },
    "repeat": {
        3: """
            again and again; over and over; third time; 3rd time; fourth time; 4th time; fifth time; 5th time; second time; 2nd time; several times;
            many times; multiple times; times already; times now; every day; every single day; every single time; for weeks; for months; for days;
            weeks now; months now; days now; weeks later; months later; month later; week later; weeks ago; months ago; still waiting; still no;
            still nothing; still not; still haven't; still hasn't; no response; no reply; no answer; nobody replied; never replied; already contacted;
            already called; already emailed; already messaged; already dm'd; called * times; contacted * times; emailed * times; tweeted * times;
            tweeted u; keep calling; keep telling; i've told you; called twice; emailed twice; back and forth; numerous; follow up; following up;
            yet again; once again; still unresolved; unresolved""",
    },
    "deadline": {
        3: """
            asap; urgent; urgently; immediately; right now; today; tonight; tomorrow; this morning; this afternoon; this evening; in an hour;
            in 1 hour; in 2 hours; next hour; stranded; stuck at; miss my; missed my; going to miss; connection flight; connecting flight;
            boarding now; my flight; deadline; wedding; funeral; interview; medication; before it's too late; help me; please help; help; running out;
            minutes; mins""",
    },
    # Strong words that blame nobody: the longest phrase wins, so these take the sting from the words in them.
    "harmless": {
        1: """
            as hell; oh shit i; oh crap i; oh damn i; oh fuck i; shit i forgot; shit i left; crap i forgot; crap i left; damn i forgot; damn i left;
            no shit; is the shit; are the shit; holy shit that was; holy shit this is; laughed my ass off; laughing my ass off; my ass off;
            dumb question; stupid question; silly question; stupid me; silly me; i'm an idiot; im an idiot; i am an idiot; i'm so stupid; i'm a stupid;
            i was stupid; my own stupid; mad jealous; badass; bad ass; crazy good; insanely good; stupidly good; ridiculously good; wicked good""",
    },
    "disappointed": {
        3: """
            disappoint*; let down; letdown; sad; sadly; unfortunately; unhappy; upset; not impressed; not happy; regret; unlucky; bummed; shame; poor;
            bad; worse; slow; broken; lost; missing; wrong; problem; problems; issue; issues; fail*; stuck; delayed; cancelled; canceled; annoying;
            hate; terrible; horrible; awful; worst; ruin*; damaged; late; stress*; confus*; unable; never; nothing; difficult; hard; expensive;
            complicated; uncomfortable; dirty; cold; stale; mouldy; moldy; faulty; useless""",
    },
}

# What means something only in company: each is looked up beside the phrases above, and `features` draws the conclusion.
_HINTS: dict[str, dict[int, str]] = {
    # How well-mannered people say that they have had enough.
    "reproach": {
        3: """
            formal complaint; formally complain; lodge a complaint; raise a complaint; make a complaint; file a complaint; register a complaint;
            official complaint; my complaint; escalate my; escalate this; how to complain; complaints procedure; complaints department; time of asking;
            nth time; umpteenth; sixth time; seventh time; eighth time; ninth time; tenth time; hundredth time; once more asking; fourth email;
            fifth email; third email; sixth email; third message; fourth message; fifth message; third letter; fourth letter; fifth letter; sixth letter;
            third call; fourth call; fifth call; sixth call; third agent; fourth agent; fifth agent; third person; fourth person; fifth person;
            third attempt; fourth attempt; fifth attempt; fourth time; fifth time; with respect; all due respect; the greatest respect; been patient;
            been more than patient; been very patient; no longer patient; my patience; our patience; patience has; patience with; decency; common courtesy;
            the courtesy; basic courtesy; be so good as; so kind as to; be good enough to; too much to hope; too much trouble; asking too much;
            much to expect; lack of confidence; no confidence in; lost confidence; lost faith; lost trust; beneath contempt; indifference; contempt;
            beyond the pale; beggars belief; beggar belief; beyond belief; beyond me; defies belief; find it extraordinary; quite extraordinary;
            nothing short of; leaves a lot; leave a lot; leaves much; to be desired; less than impressed; less than satisfactory; far from satisfactory;
            unsatisfactory; far from impressed; hardly impressed; falls short; fell short; fallen short; custom elsewhere; business elsewhere;
            money elsewhere; close my account; close our account; closing my account; close all; not be returning; won't be returning; not be back;
            won't be back; not be renewing; won't be renewing; not be flying; not be staying; not be using; not be recommending; never recommend;
            cannot recommend; can't recommend; will be cancelling; shall be cancelling; will be leaving; shall be leaving; be moving to; moving all our;
            for the last time; final request; final warning; last chance; writing to the press; write to the press; write to your ceo; told the truth;
            a straight answer; an honest answer; a proper answer; answers none; answered none; none of my questions; did not answer; not answer my;
            template reply; templated reply; automated reply; copy and paste; copy paste; copied and pasted; canned response; canned reply;
            scripted answer; reads these; reads our; anyone reads; anyone at your company; anybody at your company; without an apology; not an apology;
            no word of apology; not so much as; not even an; without so much; without explanation; without any explanation; a full explanation;
            kindly explain; please explain; care to explain; like an explanation; want an explanation; deserve an explanation; owe me; owes me; owe us;
            kindly stop; please stop; extraordinary that; quite offensive; deeply offensive; most offensive; laugh at; laughed at me; someone competent;
            somebody competent; competent person; with authority; with some authority; not one of; not a single one of; after all this time;
            when i was promised; as promised; despite being told; despite promises; despite assurances; despite several; despite repeated;
            despite numerous; despite many; despite having; unanswered; going round in circles; round in circles; brick wall; deaf ears; fobbed;
            palmed off; washed your hands; pass the buck; passing the buck; dismissive; condescending; patronising; patronizing; treated like;
            treated with such; made to feel; made to wait; kept waiting; left waiting; left in the dark; in the dark; hang up on; your incompetence;
            a mockery; mockery of; taken for granted; taken for a fool; taken for fools; take us for; take me for; the pleasure of waiting; poor show;
            bad form; i insist; must insist; i demand; we demand; not for the first time; how many more; how many times; how much longer; how long must;
            how many emails; how many calls; when will someone; will anyone; will anybody; will somebody; when will you; anybody read it; anyone read it""",
        2: """
            i trust you; i trust that; i must say; i have to say; i should like to; i regret to; we regret to; i wonder if anyone; i wonder whether;
            one does wonder; does wonder; one wonders; i would suggest; may i suggest; might i; frankly; quite frankly; to put it mildly; put it mildly;
            i expected; we expected; i had expected; i was expecting; loyal customer; loyal customers; long standing customer; long-standing customer;
            customer for *; customers for *; a customer since; after * years; after * weeks; after * months; to be told; being told; was told; were told;
            been told; i was assured; been assured; assured that; assurances; supposedly; in writing; at your earliest; look forward to your;
            awaiting your; await your; kindly resolve; please resolve; finally; someone finally; somebody finally; never came; never arrived;
            never received; never heard; not heard; not received; heard nothing; nobody has; no one has; none of; respectfully; sincerely; consider this;
            convey to; your superior; your superiors; your manager; your supervisor; your ceo; head office; management; i am not in the; as i said;
            as i have said; as stated; as already; as i explained; i have explained; already explained; have already; asked repeatedly; repeatedly""",
    },
    # Openings of praise that is rarely meant: on their own (3), or before a mishap (2).
    "mock": {
        3: """
            slow clap; applause for; medal for; gold star for; take a bow; nothing says; what a treat; such a treat to; a real treat to; what a joy to;
            how thoughtful of; how generous of; how considerate; how convenient; how very kind; how lovely that; how lovely of; just what i wanted;
            just what i needed; exactly what i needed; exactly what i wanted; just what we needed; just what everyone; my compliments to whoever;
            compliments to whoever; congrats to whoever; kudos to whoever; thanks to whoever; well done to whoever; whoever decided; whoever thought;
            whoever designed; stroke of genius; surprise surprise; you truly outdid; outdid yourselves; outdone yourselves; excelled yourselves;
            never fails to; never fail to; never ceases to; never cease to; who needs; because who; lucky me; lucky us; couldn't make it up;
            could not make it up; can't make it up; says hello; elegant paperweight; expensive paperweight; expensive brick; another day another;
            my favourite part; my favorite part; i adore; what could go wrong; how hard could; as if by magic; masterclass in; master class in;
            best surprise; top marks for; full marks for; full marks to; ten points for; 10 points for; sure take your time""",
        2: """
            love it when; love how; love the way; love that; love being; love waiting; love paying; loving the; loving how; loving that; really loving;
            love a good; gotta love; got to love; have to love; must love; so glad i; so glad we; so happy i; so pleased i; thrilled to; glad i;
            congratulations; congrats; bravo; well done; good job; great job; nice job; nice work; nice one; great work; top work; first class; five stars;
            5 stars; ten out of ten; 10 out of 10; 10 10; impressive; very impressive; truly impressive; how kind; how nice; nice of you; kind of you;
            so kind of; thanks for making; thanks for leaving; thanks for sending; thanks for charging; thank you for charging; thank you for making;
            thank you for leaving; big thanks; oh good; oh great; oh brilliant; oh lovely; oh wow; oh joy; oh nice; ah yes; ah the; ah good; yay; yippee;
            hooray; hurrah; woohoo; so much fun; fun times; good times; such fun; apparently; supposedly; so called; so-called; truly; only took;
            only * minutes; only * hours; impressed that; impressed by; bold move; good to know; enjoying the; what a great; what a lovely;
            what a wonderful; what a fantastic; what a way; shame about""",
    },
    "mishap": {
        1: """
            delay*; late; later than; cancel*; lost; lose; loses; losing; waiting; on hold; hold music; queue; queuing; queueing; broken; broke; breaks;
            charge for; charged; charging; charged me; hung up; hang up; hangs up; yet another; another * hours; another * minutes; another hour;
            another day; another week; wrong; stuck; crash*; without; never; nobody; no one; twice; rude; fail*; missed; missing; vanish*; disappear*;
            closed; empty; cold; dirty; filthy; ignored; ignoring; rejected; refused; refuse*; damaged; smashed; crushed; soaked; soggy; dead; froze*;
            freeze*; last in; last on; shut; shame; nothing; not working; doesn't work; does not work; didn't work; won't; can't; cannot; couldn't;
            down again; down for; useless; worse; problem*; error; bug; bugs; burn*; burnt; melted; stale; mouldy; moldy; mould; leak*; spill*; spilt;
            ruin*; destroy*; wreck*; torn; ripped; dented; scratched; wet; noisy; bumped; downgraded; overbooked; sold out; double booked; unread;
            closes itself; logs me; logged me; hours late; hours for; weeks for; months for; days for; hours to; weeks to; months to; days to; again;
            no water; no food; no seat; no seats; no heating; no power; no signal; no reply; no answer; no response; no sign of; no idea; no bag;
            no bags; no luggage; paperweight; takes longer; slower; slowest; slow; longest; almost; vanishing; cushion; spells my; misspelled""",
    },
    # What people have that can break, and what it does then, for those who know no other word.
    "gadget": {
        1: """
            light; lights; led; picture; pictures; photos; pics; photo; gallery; sound; volume; voices; speaker; speakers; headphones; headset; earbuds;
            earphones; mic; microphone; camera; webcam; doorbell; thermostat; remote; printer; scanner; tablet; telly; tv; watch; tracker; box; hub;
            dongle; app; page; site; website; form; screen; button; icon; cart; basket; checkout; map; sat nav; satnav; gps; clock; alarm; keyboard;
            mouse; font; video; videos; song; songs; music; podcast; stream; playlist; file; files; download; password; code; login; card reader;
            kiosk; barcode; qr; contacts; calendar; notifications; phone; mobile; laptop; computer; pc; internet; signal; wifi; router; connection""",
    },
    "symptom": {
        3: """
            goes black; went black; goes blank; went blank; goes dark; goes grey; goes gray; goes white; goes green; turns black; turned black;
            turns itself; turned itself; switches itself; switched itself; shuts itself; closes itself; closes by itself; opens by itself; by itself;
            resets itself; restarts itself; shuts down; shuts off; keeps turning; keeps switching; keeps shutting; keeps closing; keeps stopping;
            keeps freezing; keeps restarting; keeps rebooting; keeps crashing; keeps dropping; keeps cutting; keeps buffering; keeps loading;
            keeps spinning; keeps pausing; keeps skipping; keeps jumping; keeps asking; keeps asking me; keeps logging; keeps kicking; keeps losing;
            keeps disconnecting; keeps flashing; keeps blinking; keeps beeping; keeps going off; blinks; blinking; flashes; flickers; flickering;
            flashing red; flashing orange; red light; orange light; amber light; green light; just spins; spins; spinning; nothing happens; does nothing;
            did nothing; nothing comes out; nothing comes up; nothing shows; nothing loads; stopped charging; won't turn; wont turn; doesn't turn;
            won't switch; won't start; wont start; won't come on; doesn't come on; won't ring; won't print; doesn't print; won't pair; won't stay;
            won't recognise; won't recognize; doesn't recognise; doesn't recognize; not recognise; not recognize; won't accept; not accept; doesn't accept;
            won't take my; won't read; doesn't read; can't read; won't let; never lets; doesn't respond; won't respond; won't go past; can't get past;
            won't get past; gets as far; starts over; starts from the; back to the beginning; back to the start; back to the first; back to the login;
            kicks me; kicked me out; throws me; thrown out; thrown back; sends me back; takes me back; signs me out; comes and goes; cuts off; cuts in;
            jumps back; goes quiet; went quiet; goes silent; no picture; crackl*; buzzing; static; echo on; hear myself; hears himself; out of sync;
            seconds late; lip sync; blurry; garbled; gibberish; scrambled; upside down; cut in half; overlap*; so hot; gets hot; gets so hot; red cross;
            same red; exclamation mark; wheel of death; spinning wheel; all my contacts; all my photos; all my songs; all my messages; all my data;
            types the; letters twice; an hour wrong; wrong time; off and on; stays shut; stays blank; stays black; stays grey; stays off; stuck in a loop;
            in a loop; goes round; endless loop; says i'm not; says i am not; says invalid; thinks it's; thinks i'm; thinks my; asks me for the;
            asks for the; asks again; again and again and; when i press; when i click; when i tap; when i open; when i try; when i scan; when i plug;
            when i swipe; when i hit; when i type; i press; i click; i tap; i scan; i swipe; lose everything; lost everything; wiped; erased; emptied""",
        2: """
            dead; quiet; silent; blank; beep; beeps; beeping; beeped; flash; flashing; flicker; humming; hot; stops; stopped; stopping; freezes; jumps;
            skips; skipping; loops; looping; vanished; gone; disappeared; missing; stuck; shut; broken; broke; won't; doesn't; can't; grey; gray; black;
            loading; wrong; overnight; since yesterday; since this morning; since last night; any more; anymore; no longer; for ever; forever;
            for no reason; suddenly; out of nowhere; randomly; every time i; whenever i; each time i; as soon as i; cut off; half of my; sideways;
            really hot; getting hot; in and out; start over; starts again; on and off; thinks i""",
    },
}

_CHINESE: dict[str, dict[int, str]] = {
    "anger": {
        3: """
            垃圾;骗子;骗人;欺骗;坑人;坑爹;坑钱;太差;差劲;极差;最差;恶心;无耻;不要脸;气死;气炸;愤怒;火大;生气;忍无可忍;投诉;
            举报;退钱;退款不给;再也不;不会再来;拉黑;滚;什么玩意;什么破;破公司;烂;太烂;废物;无语;无良;黑心;奸商;霸王;敷衍;推诿;
            踢皮球;不作为;欺负;离谱;可恶;过分;受够;傻逼;妈的;他妈;尼玛;操你;草泥马;狗屁;扯淡;糟糕透;糟透;失望透顶;非常失望;
            太失望;黐线;仆街;顶唔顺;嬲;呃人;伏;难食;难吃死;态度恶劣;态度差;态度好差;服务差;服务态度差;好差;垃圾服务;智障;脑残;
            有病;吐血;怒;呵呵;凭什么;搞什么;什么意思;什么态度""",
        2: """
            失望;不满;郁闷;烦;烦死;坑;差评;难用;难吃;太慢;没人理;没人管;不理;不回;没回复;一直等;等了;几个小时;几天了;半天;
            催了;又坏;又不;还是不;到底;究竟;怎么回事;浪费;后悔;太贵;抢钱;乱收费;多收;扣钱;扣费;唔理;冇人理;唔掂;冇用;没用;
            讨厌;崩溃;吐槽""",
    },
    "swearing": {
        3: """傻逼;妈的;他妈;尼玛;操你;草泥马;狗屁;仆街;屌;卧槽;我靠;滚蛋;王八蛋;贱;妈逼""",
    },
    "technical": {
        3: """
            崩溃;闪退;死机;卡死;黑屏;白屏;蓝屏;花屏;报错;错误代码;出错;错误;故障;断网;没网;连不上;连接不上;无法连接;掉线;断线;
            网络;网速;信号;路由器;光猫;调制解调器;宽带;固件;升级后;更新后;更新之后;系统更新;版本;登录不了;登不上;无法登录;
            登录失败;登陆;验证码;收不到验证码;打不开;无法打开;加载不;加载失败;刷不出;服务器;宕机;无法使用;用不了;不能用;不工作;
            坏了;失灵;重启;重置;卸载;重装;安装不了;蓝牙;无线;同步;缓存;闪屏;触屏;电池;耗电;发热;充不进;充电;没声音;没画面;
            延迟;丢包;漏洞;兼容;网页;网站;客户端;当机;上唔到网;连唔到;开唔到;用唔到;壊;上不了网;上不去""",
        2: """
            软件;手机;电脑;平板;苹果;安卓;屏幕;按键;卡顿;很卡;好卡;太卡;下载;上传;更新;升级;设置;应用;程序;连接;扫码;二维码;
            流量;密码""",
    },
    "praise": {
        3: """
            谢谢;多谢;感谢;非常好;太好了;很棒;真棒;好评;给力;点赞;赞一个;满意;喜欢;推荐;完美;优秀;贴心;好吃;好食;美味;专业;
            服务好;服务态度好;五星;不错;惊喜;超赞;厉害;唔错;正""",
        2: """好;快;方便;开心;高兴;值得;舒服;赞;爱""",
    },
    "thanks": {
        3: """谢谢;多谢;感谢;解决了;好了;可以了;搞定;搞掂;没问题了;成功了;恢复了;能用了;得咗;唔该晒""",
    },
    "stuck": {
        3: """
            还是不行;还是不;还不行;还是没;依然;仍然;没有用;没用;不行;一样;同样的问题;又出;没解决;没有解决;还没;试过了;都试;仲系;
            冇用;都系唔得;唔得""",
    },
    "spam": {
        3: """
            抽奖;转发抽;关注并转发;转发微博;加微信;加我微信;兼职;刷单;优惠券;领红包;代购;贷款;博彩;彩票;免费领;点击链接;戳链接;
            招聘;包邮;限时抢购;粉丝福利;互粉""",
    },
    "polite": {
        2: """请问;麻烦;请;您好;你好;唔该;劳烦""",
    },
    "billing": {
        3: """账单;费用;收费;扣费;扣款;退款;退钱;发票;付款;支付;价格;多收;话费;月费;充值;押金;信用卡;优惠;欠费""",
    },
    "delivery": {
        3: """快递;物流;发货;送货;配送;外卖;包裹;派送;订单;收货;运费;送到;行李;骑手""",
    },
    "account": {
        3: """账号;账户;帐号;帐户;密码;注册;登录;会员;实名;绑定;注销;冻结;封号""",
    },
    "feature_request": {
        3: """希望能;希望增加;建议;能不能加;可不可以加;增加功能;新功能;什么时候支持;支持一下""",
    },
    "how_to": {
        3: """怎么;如何;怎样;点样;在哪里;哪里可以;可以吗;能不能;可不可以;是否可以;教程;点先""",
    },
    "outage": {
        3: """断网;没网;宕机;大面积;全部用不了;服务器崩;都上不去;崩了;停电;没信号;瘫痪;都用不了""",
    },
    "safety": {
        3: """
            着火;起火;冒烟;爆炸;触电;漏电;受伤;流血;住院;医院;急救;救护车;过敏;食物中毒;中毒;拉肚子;危险;自杀;想死;不想活;
            性骚扰;骚扰;猥亵;打人;车祸;异物;玻璃;虫子;蟑螂;燃气泄漏""",
    },
    "legal": {
        3: """
            律师;起诉;法院;打官司;法律;违法;犯法;消费者协会;消协;12315;工信部;银保监;报警;警察;维权;欺诈;诈骗;歧视;合同;
            仲裁;消委会;315""",
    },
    "security": {
        3: """被盗;盗号;盗刷;黑客;钓鱼;泄露;信息泄露;隐私;木马;病毒;异常登录;诈骗电话;诈骗短信;冒充;漏洞""",
    },
    "press": {
        3: """记者;采访;媒体;报社;电视台;曝光""",
    },
    "repeat": {
        3: """第三次;第二次;多次;好几次;无数次;又一次;几次了;打了几次;反复;一直没;还没有回复;等了好几天;几个星期;几个月;好耐;等咗""",
    },
    "deadline": {
        3: """紧急;急急;马上;立刻;尽快;今天;今晚;明天;赶时间;来不及;救命;着急;急用;速度""",
    },
    "disappointed": {
        3: """失望;遗憾;可惜;难过;不好;不满意;一般;差;贵;慢;坏;没有;难吃;不值;麻烦;问题""",
    },
}

HAPPY_EMOJI = frozenset("😀😃😄😁😆😊🙂☺😍🥰😘🤗🤩😎👍👏🙌🙏❤♥💕💖💗💙💚💛💜🧡🎉✨🌟💯😇😋🥳😌✌👌💪🔥")
ANGRY_EMOJI = frozenset("😡😠🤬🖕👎💩😤🙄😒😑🤦🤮🤢👿😾💢🤡")
SAD_EMOJI = frozenset("😢😭😞😔☹🙁😟😩😫😕😣😖😥😰💔😪😓")
LAUGHING_EMOJI = frozenset("😂🤣😹💀")


@dataclass(frozen=True, slots=True)
class Entry:
    """What one phrase says: its words after the first, and (signal, strength) pairs."""

    rest: tuple[str, ...]
    says: tuple[tuple[str, int], ...]


def _compile_english(listed_by_signal: dict[str, dict[int, str]]) -> tuple[dict[str, tuple[Entry, ...]], dict[str, tuple[tuple[str, int], ...]]]:
    phrases: dict[tuple[str, ...], dict[str, int]] = {}
    prefixes: dict[str, dict[str, int]] = {}
    for signal, strengths in listed_by_signal.items():
        for strength, listed in strengths.items():
            for phrase in listed.split(";"):
                words = tuple(phrase.split())
                if len(words) == 1 and words[0].endswith("*"):
                    says = prefixes.setdefault(words[0][:-1], {})
                elif words:
                    says = phrases.setdefault(words, {})
                else:
                    continue
                says[signal] = max(strength, says.get(signal, 0))
    by_first: dict[str, list[Entry]] = {}
    for words, says in phrases.items():
        by_first.setdefault(words[0], []).append(Entry(words[1:], tuple(says.items())))
    ordered = {first: tuple(sorted(entries, key=lambda entry: -len(entry.rest))) for first, entries in by_first.items()}
    return ordered, {prefix: tuple(says.items()) for prefix, says in prefixes.items()}


def _compile_chinese() -> dict[str, tuple[Entry, ...]]:
    phrases: dict[str, dict[str, int]] = {}
    for signal, strengths in _CHINESE.items():
        for strength, listed in strengths.items():
            for phrase in filter(None, map(str.strip, listed.split(";"))):
                says = phrases.setdefault(phrase, {})
                says[signal] = max(strength, says.get(signal, 0))
    by_first: dict[str, list[Entry]] = {}
    for phrase, says in phrases.items():
        by_first.setdefault(phrase[0], []).append(Entry((phrase[1:],), tuple(says.items())))
    return {first: tuple(sorted(entries, key=lambda entry: -len(entry.rest[0]))) for first, entries in by_first.items()}


_BY_FIRST_WORD, _PREFIXES = _compile_english(_ENGLISH)
_HINTS_BY_FIRST_WORD, _HINT_PREFIXES = _compile_english(_HINTS)
_SHORTEST_HINT = min(map(len, _HINT_PREFIXES))
_LONGEST_HINT = max(map(len, _HINT_PREFIXES))
BY_FIRST_CHARACTER = _compile_chinese()
_SHORTEST_PREFIX = min(map(len, _PREFIXES))
_LONGEST_PREFIX = max(map(len, _PREFIXES))


# How hashtags end that blame: "gogosucks", "customerservicefail".
_BLAMING_ENDS = ("sucks", "suck", "fail", "fails", "neveragain", "worstever", "badservice", "shame")


@lru_cache(maxsize=20_000)
def entries_for(word: str) -> tuple[Entry, ...]:
    """Every phrase that begins with this word, longest first."""
    found = _BY_FIRST_WORD.get(word, ())
    if not found and len(word) > 6 and word.endswith(_BLAMING_ENDS):
        return (Entry((), (("anger", 3),)),)
    for length in range(min(len(word), _LONGEST_PREFIX), _SHORTEST_PREFIX - 1, -1):
        if says := _PREFIXES.get(word[:length]):
            alone = tuple(pair for entry in found if not entry.rest for pair in entry.says)
            return (*(entry for entry in found if entry.rest), Entry((), _merge(says, alone)))
    return found


@lru_cache(maxsize=20_000)
def hints_for(word: str) -> tuple[Entry, ...]:
    """Every hint that begins with this word, longest first."""
    found = _HINTS_BY_FIRST_WORD.get(word, ())
    for length in range(min(len(word), _LONGEST_HINT), _SHORTEST_HINT - 1, -1):
        if says := _HINT_PREFIXES.get(word[:length]):
            return (*found, Entry((), says))
    return found


def _merge(*lists: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    merged: dict[str, int] = {}
    for says in lists:
        for signal, strength in says:
            merged[signal] = max(strength, merged.get(signal, 0))
    return tuple(merged.items())
