/* What pages do by themselves: look for news, count leases down, save and check drafts, answer to keys.
   Every act is a plain form as well, so nothing here is needed to do the work. */
"use strict";
(() => {
  const $ = (what, from = document) => from.querySelector(what);
  const $$ = (what, from = document) => [...from.querySelectorAll(what)];
  const token = $('meta[name="csrf-token"]')?.content ?? "";
  const ask = (url, options = {}) => fetch(url, { credentials: "same-origin", ...options, headers: { "X-CSRFToken": token, "X-Part": "true", ...options.headers } });
  const send = (url, method, body) => ask(url, { method, body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

  /* Times are shown by this device's clock: told to the pages of people who sign in, never on a page for the public. */
  if (document.body.dataset.user || $("form[data-sign-in]")) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone) document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
  }

  /* News: one cheap question; rows never move under the hand, so what is new comes in when it is asked for. */
  const watched = JSON.parse(document.body.dataset.watch || "{}");
  const fresh = $("[data-fresh]");
  let touched = Date.now();
  ["pointerdown", "keydown", "scroll"].forEach((kind) => addEventListener(kind, () => { touched = Date.now(); }, { passive: true }));
  const pace = () => (Date.now() - touched > 120_000 ? 30 : Number(document.body.dataset.poll || 10)) * 1000;
  async function look() {
    if (!document.hidden && Object.keys(watched).length) {
      try {
        const since = Object.entries(watched).map(([name, at]) => `${name}:${at}`).join(",");
        const answer = await ask(`/changes?brand=${document.body.dataset.brand}&since=${encodeURIComponent(since)}`);
        if (answer.status === 200) {
          const now = await answer.json();
          const news = Object.keys(now).filter((name) => name in watched && now[name] !== watched[name]);
          Object.assign(watched, now);
          if (news.length) await bringIn(news);
        } else if (answer.status === 401 && !$("form[data-composer]")) location.reload();
      } catch { /* off line: the next look finds out */ }
    }
    setTimeout(look, pace());
  }
  let waiting = null;
  async function bringIn(news) {
    if ($("[data-quiet]") && !news.some((name) => name !== "me")) return;
    const list = $("#list"), words = $("[data-fresh-words]", fresh);
    if (list) {
      const answer = await ask(location.href);
      if (!answer.ok) return;
      waiting = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      const shown = new Set($$("[data-item]", list).map((item) => item.id));
      const more = $$("[data-item]", waiting).filter((item) => !shown.has(item.id)).length;
      /* What only reports how far something has come is shown at once; nothing in it can be pressed by mistake. */
      const live = $$("[data-live]", list), at = (item) => $(`#${item.id}`, waiting);
      const going = live.length && live.every((item) => at(item)?.matches("[data-live]"));
      for (const item of live) if (at(item)) item.replaceWith(at(item).cloneNode(true));
      if (going && !more) return;
      if (live.length && !going) waiting = null; /* it has ended: what stands around the list changes too */
      words.textContent = more ? `${more} new. Show ${more === 1 ? "it" : "them"}` : "This list has changed. Show it";
    }
    fresh.hidden = false;
  }
  fresh?.addEventListener("click", () => {
    const list = $("#list");
    if (!list || !waiting) return location.reload();
    list.replaceChildren(...waiting.childNodes);
    list.classList.add("arrive");
    fresh.hidden = true; waiting = null;
    $("h2, h1, [data-item]", list)?.focus();
  });
  if (Object.keys(watched).length) setTimeout(look, pace());
  addEventListener("visibilitychange", () => { if (!document.hidden) touched = Date.now(); });

  /* Leases */
  const words = (left) => left >= 3600 ? `${Math.floor(left / 3600)} h ${String(Math.floor((left % 3600) / 60)).padStart(2, "0")}` : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  const leases = $$("[data-lease]").map((box) => ({ box, ends: Date.now() + Number(box.dataset.lease) * 1000, whole: Number(box.dataset.whole) || 1200 }));
  function tick() {
    for (const lease of leases) {
      const left = Math.max(0, Math.round((lease.ends - Date.now()) / 1000));
      $("[data-left]", lease.box).textContent = words(left);
      $("circle + circle", lease.box)?.setAttribute("stroke-dasharray", `${Math.min(100, Math.round((100 * left) / lease.whole))} 100`);
      $(".ring", lease.box)?.classList.toggle("b-warn", left < 180);
      if (left === 300 || left === 60) say(`${left / 60} min left`);
      if (left === 0 && !lease.over) { lease.over = true; say(lease.box.dataset.over || "The time is over. The task is free for others; your draft is kept.", true); }
    }
  }
  if (leases.length) setInterval(tick, 1000);
  const speaker = document.createElement("div");
  speaker.className = "visually-hidden";
  document.body.append(speaker);
  /* What was just done is read out (a live region only tells what comes into it), and the work is where the keyboard goes on; a field that
     waits for words keeps the caret. */
  const told = $("[data-toasts]");
  if (told?.children.length) {
    setTimeout(() => { const all = [...told.children]; told.replaceChildren(); told.append(...all); }, 150);
    if (document.activeElement === document.body) $("#main")?.focus({ preventScroll: true });
  }
  /* After a refusal the keyboard is where it can be mended. */
  const refusal = $('main [role="alert"]:not([hidden])');
  if (refusal && document.activeElement === document.body) {
    const field = $("textarea:not([readonly]), input:not([type=hidden]):not([type=checkbox]):not([type=radio])", refusal.closest("form") ?? refusal);
    field?.focus({ preventScroll: true });
    refusal.scrollIntoView({ block: "center" });
  }
  function say(text, now = false) { speaker.setAttribute("aria-live", now ? "assertive" : "polite"); speaker.textContent = text; }

  /* What was handed in is forgotten here only once a page has come back without a refusal. */
  const sent = sessionStorage.getItem("sent");
  if (sent && document.body.dataset.watch !== undefined && !$('[role="alert"]') && keptKey($("form[data-composer]")?.dataset.save) !== sent) forget(sent);
  sessionStorage.removeItem("sent");

  /* The composer: saves 1 s after the last key and every 20 s, checks after 400 ms. Every key is kept in this browser first, so that
     no lost line, ended session, lapsed lease or closed tab takes words away; what the server did not take is said and stays here. */
  const composer = $("form[data-composer]");
  if (composer) {
    const area = $("textarea", composer), status = $("[data-saved]", composer), number = $('[name="revision"]', composer), other = $("[data-other]", composer);
    const key = keptKey(composer.dataset.save);
    let saved = composer.dataset.unsaved === undefined ? area.value : null, saving = null, stopped = false, lost = false, saveSoon, checkSoon, checking, checked = null;
    /* Words kept here belong to the revision they were typed on: on another one they are offered, never put over newer words. */
    const kept = keptWords(key);
    const fits = kept !== null && kept.revision === number.value;
    if (kept !== null && kept.text === area.value) forget(key);
    else if (kept !== null && !area.readOnly && saved !== null) {
      if (fits) {
        area.value = kept.text;
        state("Brought back from this browser");
      } else {
        const offer = $("[data-kept]", composer);
        $("[data-kept-words]", offer).textContent = kept.at ? `Words kept in this browser from ${kept.at}.` : "Older words are kept in this browser.";
        $("[data-kept-use]", offer).addEventListener("click", () => { area.value = kept.text; offer.hidden = true; area.focus(); changed(); });
        offer.hidden = false;
      }
    }
    const voice = () => $('[name="voice"]:checked', composer)?.value ?? $('input[name="voice"][type="hidden"]', composer)?.value ?? null;
    function state(text, to) {
      status.textContent = text;
      if (!to) return;
      const link = document.createElement("a");
      link.href = to; link.textContent = "Sign in";
      status.append(" ", link);
    }
    async function save() {
      if (saving || stopped || area.value === saved || !area.value.trim()) return;
      saving = put();
      await saving;
      saving = null;
    }
    async function put() {
      const text = area.value;
      try {
        const answer = await send(composer.dataset.save, "PUT", { text, voice: voice(), revision: number.value || null });
        const told = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
        if (answer.ok) {
          saved = text;
          number.value = told.revision ?? number.value;
          state(`Saved ${told.saved_at ?? ""}`);
          if (area.value !== text) keep();
          else if (keptWords(key)?.text === text) forget(key); /* another tab's words stay */
          if (told.left) for (const lease of leases) { lease.ends = Date.now() + told.left * 1000; lease.over = false; }
        } else if (answer.status === 401 || told.code === "stale") state("You are signed out. Your words are kept in this browser.", `/login?next=${encodeURIComponent(location.pathname)}`);
        else if (answer.status === 409 && typeof told.body === "string") meet(told);
        else if (answer.status >= 500 || answer.status === 429) state("Not saved yet. Kept in this browser, sent again soon");
        else { stopped = answer.status !== 422; state(`Not saved: ${told.message ?? "look at the page again."} Your words are kept in this browser.`); }
      } catch { state("Off line. Saved in this browser, sent later"); }
    }
    /* Newer words of another window: both are shown, nothing is saved before one is chosen. */
    function meet(told) {
      stopped = true;
      state("Not saved: there are newer words of another window");
      $("[data-other-words]", other).textContent = "Saved in another window meanwhile. Yours stand in the field below.";
      $("[data-other-text]", other).textContent = told.body;
      const choose = (text) => { number.value = told.revision; stopped = false; other.hidden = true; area.value = text; changed(); area.focus(); };
      $("[data-other-use]", other).onclick = () => {
        const mine = area.value;
        saved = told.body;
        choose(told.body);
        $("[data-other-words]", other).textContent = "Your own words from before.";
        $("[data-other-text]", other).textContent = mine;
        $("[data-other-use]", other).onclick = () => choose(mine);
        $("[data-other-keep]", other).hidden = true;
        other.hidden = false;
      };
      $("[data-other-keep]", other).onclick = () => choose(area.value);
      $("[data-other-choice]", other).hidden = $("[data-other-keep]", other).hidden = false;
      other.hidden = false;
      say("There are newer words of another window", true);
    }
    async function check() {
      checking?.abort();
      checking = new AbortController();
      const text = area.value;
      try {
        const answer = await ask(composer.dataset.check, {
          method: "POST", body: JSON.stringify({ text, voice: voice() }), headers: { "Content-Type": "application/json" }, signal: checking.signal,
        });
        if (answer.ok) { $("#checks").innerHTML = await answer.text(); checked = text; tellStops(); }
      } catch { /* stays as it was; the server checks again when it is handed in */ }
    }
    /* What stands in the way is counted beside the button; pressed all the same, it leads to the first of it. */
    function tellStops() {
      const stops = area.value.trim() ? Number($("[data-stops]", composer)?.dataset.stops ?? 0) : 0;
      const said = $("[data-stops]", composer)?.dataset.disclosure ?? "", fixed = $("[data-fixed]", composer);
      if (fixed) { fixed.hidden = !said; $("span", fixed).textContent = said; }
      $("[data-main]", composer).setAttribute("aria-disabled", stops > 0);
      $("[data-to-fix]", composer).textContent = stops ? `${stops === 1 ? "One thing" : `${stops} things`} to fix first.` : "";
      return stops;
    }
    function keep() {
      try {
        localStorage.setItem(key, JSON.stringify({ text: area.value, revision: number.value, at: new Date().toTimeString().slice(0, 5) }));
        lost = false;
      } catch { lost = true; /* no room here: the page asks before it goes */ }
    }
    function changed() {
      keep();
      clearTimeout(saveSoon); clearTimeout(checkSoon);
      saveSoon = setTimeout(save, 1000); checkSoon = setTimeout(check, 400);
    }
    area.addEventListener("input", changed);
    mirror(area, composer);
    texts(area, composer);
    keyboard(area);
    setInterval(save, 20_000);
    addEventListener("online", save);
    addEventListener("offline", () => state("Off line. Saved in this browser, sent later"));
    addEventListener("beforeunload", (event) => { if (lost && area.value !== saved && !composer.dataset.sent) event.preventDefault(); });
    addEventListener("pagehide", () => {
      if (saving || stopped || composer.dataset.sent || area.value === saved || !area.value.trim()) return;
      ask(composer.dataset.save, {
        method: "PUT", keepalive: true, headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ text: area.value, voice: voice(), revision: number.value || null }),
      }).catch(() => { /* kept in this browser */ });
    });
    /* A save under way gives the words a new revision: handing in waits for it, else it would be refused as coming from an older page. */
    composer.addEventListener("submit", (event) => {
      if (composer.dataset.sent) return;
      /* Words that were changed since the last look are for the server to judge. */
      if (checked === area.value && tellStops()) {
        event.preventDefault(); event.stopImmediatePropagation();
        const quote = $('#checks [data-mark="stop"]')?.textContent, at = quote ? area.value.indexOf(quote) : -1;
        area.focus();
        if (at >= 0) area.setSelectionRange(at, at + quote.length);
        say($("#checks b")?.textContent ?? "There is something to fix first.", true);
        return;
      }
      if (!navigator.onLine) {
        event.preventDefault(); event.stopImmediatePropagation();
        keep();
        state("Off line. Your words are kept: hand them in when you are back");
        say("You are off line. Your words are kept in this browser; hand them in when you are back.", true);
        return;
      }
      clearTimeout(saveSoon);
      sessionStorage.setItem("sent", key);
      if (!saving) return;
      event.preventDefault();
      saving.then(() => composer.submit());
    });
    composer.addEventListener("change", (event) => { if (event.target.name === "voice") { saved = null; changed(); } });
    document.addEventListener("click", (event) => {
      const fix = event.target.closest("[data-replace],[data-go-to]");
      if (!fix) return;
      const quote = fix.dataset.replace ?? fix.dataset.goTo, at = area.value.indexOf(quote);
      area.focus();
      if (at < 0) return;
      area.setSelectionRange(at, at + quote.length);
      if (fix.dataset.replace === undefined) return;
      /* As if typed: Ctrl Z takes it back. What is taken out takes the space before it along. */
      const by = fix.dataset.with;
      if (!by && at > 0 && area.value[at - 1] === " ") area.setSelectionRange(at - 1, at + quote.length);
      typed(area, by);
    });
    if (fits && kept.text !== saved) changed();
    else if (area.value.trim()) check();
  }
  /* Answers to start from: brought once the page is there, put in at the caret (Alt 1, Alt 2 …); what was put in is told with the reply. */
  const offers = $("[data-suggest]");
  if (offers) {
    ask(offers.dataset.suggest).then(async (answer) => { if (answer.ok) offers.innerHTML = await answer.text(); }).catch(() => { /* the link stays */ });
  }
  const taker = composer ?? $("[data-takes]");
  if (offers && taker) {
    const used = document.createElement("input"), mark = `used:${taker.dataset.save ?? taker.dataset.takes}`;
    used.type = "hidden"; used.name = "used"; used.value = sessionStorage.getItem(mark) ?? "";
    taker.append(used);
    const insert = (one) => {
      const area = $("textarea", taker), at = area.selectionStart, before = area.value.slice(0, at);
      area.setRangeText((before && !/\s$/.test(before) ? " " : "") + $("[data-words]", one).textContent, at, area.selectionEnd, "end");
      used.value = [...new Set([...used.value.split(" "), one.dataset.suggested].filter(Boolean))].join(" ");
      sessionStorage.setItem(mark, used.value);
      area.focus(); area.dispatchEvent(new Event("input", { bubbles: true }));
      say("Inserted. Make it fit this person.");
    };
    for (const place of [offers, ...$$("[data-left]")]) place.addEventListener("submit", (event) => {
      const one = event.target.closest("[data-suggested]");
      if (!one) return;
      event.preventDefault(); event.stopPropagation();
      insert(one);
    });
    document.addEventListener("keydown", (event) => {
      const digit = event.altKey && !event.ctrlKey && !event.metaKey && /^Digit([1-9])$/.exec(event.code);
      const one = digit && $$("[data-suggested]", offers)[digit[1] - 1];
      if (one) { event.preventDefault(); insert(one); }
    });
  }

  /* While a telephone's keyboard is up there is room for the question, the words, what stands in their way and the button; the rest waits. */
  function keyboard(area) {
    const seen = window.visualViewport;
    if (!seen) return;
    let most = 0, wide = 0;
    const look = () => {
      if (wide !== seen.width) { wide = seen.width; most = 0; }
      most = Math.max(most, seen.height * seen.scale);
      const up = document.activeElement === area && seen.height * seen.scale < most - 150;
      const opens = up && !document.body.classList.contains("typing");
      document.body.classList.toggle("typing", up);
      document.body.style.setProperty("--v-kb", `${up ? Math.max(0, Math.round(innerHeight - seen.height - seen.offsetTop)) : 0}px`);
      if (opens) requestAnimationFrame(() => area.form.scrollIntoView({ block: "start" }));
    };
    seen.addEventListener("resize", look);
    seen.addEventListener("scroll", look);
    area.addEventListener("focus", look);
    /* Not at once: the press that takes the focus away must still meet its button where it stands. */
    area.addEventListener("blur", () => setTimeout(look, 250));
    look();
  }
  /* What the checks quote is underlined behind the words; where the browser draws the two apart, the rows below quote it all the same. */
  function mirror(area, composer) {
    const layer = $("[data-mirror]", composer);
    function draw() {
      const quotes = $$("#checks [data-mark]").map((one) => [one.textContent, one.dataset.mark]).filter(([quote]) => quote);
      const pieces = [];
      let rest = area.value, place = quotes.length ? 0 : -1;
      while (place >= 0) {
        let first = null;
        for (const [quote, level] of quotes) { const at = rest.indexOf(quote); if (at >= 0 && (!first || at < first.at)) first = { at, quote, level }; }
        if (!first) break;
        const mark = document.createElement("mark");
        mark.className = first.level === "stop" ? "p" : "t"; mark.textContent = first.quote;
        pieces.push(rest.slice(0, first.at), mark);
        rest = rest.slice(first.at + first.quote.length);
      }
      layer.replaceChildren(...pieces, `${rest}\n`);
      layer.scrollTop = area.scrollTop;
    }
    area.addEventListener("input", draw);
    area.addEventListener("scroll", () => { layer.scrollTop = area.scrollTop; });
    new MutationObserver(draw).observe($("#checks"), { childList: true });
    draw();
  }
  /* Texts: a slash and a name at the caret, or the button; the arrows choose, Enter or Tab puts it in, Esc leaves. Tab then walks the open gaps. */
  function texts(area, composer) {
    const box = $("[data-texts]", composer), opener = $("[data-texts-open]", composer);
    if (!box || !opener) return;
    let loaded = null, chosen = 0;
    const load = () => loaded ??= ask(box.dataset.texts).then(async (answer) => { if (answer.ok) box.innerHTML = await answer.text(); else loaded = null; }).catch(() => { loaded = null; });
    const typedName = () => /(?:^|\s)\/([\p{L}\p{N}_-]{0,40})$/u.exec(area.value.slice(0, area.selectionStart));
    const shown = () => $$("[data-text]", box).filter((one) => !one.hidden);
    function show(open, name = "") {
      if (open) {
        $$("[data-text]", box).forEach((one) => { one.hidden = !one.dataset.text.startsWith(name.toLowerCase()); });
        if (name && !shown().length) open = false;
      }
      if (open && box.hidden) chosen = 0;
      box.hidden = !open;
      opener.setAttribute("aria-expanded", open);
      mark();
    }
    function mark() {
      const list = shown();
      chosen = Math.max(0, Math.min(chosen, list.length - 1));
      list.forEach((one, place) => one.classList.toggle("sel", place === chosen));
      if (!box.hidden && list[chosen]) { list[chosen].scrollIntoView({ block: "nearest" }); say(`/${list[chosen].dataset.text}`); }
    }
    function put(one) {
      const name = typedName();
      if (name) area.setSelectionRange(area.selectionStart - name[1].length - 1, area.selectionStart);
      const from = area.selectionStart, words = $("[data-words]", one).textContent;
      show(false);
      typed(area, words);
      area.setSelectionRange(from, from);
      if (!toGap()) area.setSelectionRange(from + words.length, from + words.length);
    }
    /* The next open gap from the caret on is selected, so that typing fills it. */
    function toGap() {
      const gap = /\{\{[^{}]{1,60}\}\}|\{[\p{L}_][\p{L}\p{N}_ -]{0,40}\}|\[(?:your |the )?(?:name|order|link|model|date|number|product|city|time)\]/giu;
      gap.lastIndex = area.selectionEnd;
      const found = gap.exec(area.value);
      if (found) area.setSelectionRange(found.index, found.index + found[0].length);
      return Boolean(found);
    }
    area.addEventListener("input", async () => {
      if (typedName()) await load();
      const name = typedName();
      show(Boolean(name), name?.[1]);
    });
    area.addEventListener("keydown", (event) => {
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
      const list = shown();
      if (box.hidden || !list.length) { if (event.key === "Tab" && !event.shiftKey && toGap()) event.preventDefault(); return; }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") chosen += event.key === "ArrowDown" ? 1 : -1;
      else if (event.key === "Escape") { show(false); event.preventDefault(); return; }
      else if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); put(list[chosen]); return; }
      else return;
      event.preventDefault(); mark();
    });
    opener.addEventListener("click", async (event) => {
      event.preventDefault();
      await load();
      show(box.hidden);
      area.focus();
    });
    box.addEventListener("click", (event) => { const one = event.target.closest("[data-text]"); if (one) put(one); });
  }
  /* Put words where the caret is; browsers that keep no history of it get the words all the same. */
  function typed(area, words) {
    area.focus();
    const ok = words ? document.execCommand("insertText", false, words) : document.execCommand("delete");
    if (ok) return;
    area.setRangeText(words, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  /* A task whose composer is gone (another has it, it is settled): what was never saved is shown once more, to be copied or forgotten. */
  const orphan = $("[data-kept-for]");
  const stray = orphan && keptWords(keptKey(orphan.dataset.keptFor));
  if (stray?.text.trim()) {
    $("#kept-words").textContent = stray.text;
    orphan.hidden = false;
    $("[data-kept-forget]", orphan).addEventListener("click", () => { forget(keptKey(orphan.dataset.keptFor)); orphan.hidden = true; });
  }

  function keptKey(save) { return `draft:${document.body.dataset.user}:${save}`; }
  function forget(key) { try { localStorage.removeItem(key); } catch { /* nothing is kept here */ } }
  function keptWords(key) {
    try {
      const kept = JSON.parse(localStorage.getItem(key));
      return typeof kept?.text === "string" ? kept : null;
    } catch { return null; }
  }

  /* A reviewer's hold: asked for when the item is open, kept while it is, let go with the page. */
  let hold = $("[data-hold]"), since = performance.now();
  if (hold) {
    let first = true;
    const keep = async () => {
      if (!hold) return;
      try {
        const answer = await ask(hold.dataset.hold, { method: "POST" });
        if (answer.ok) hold.innerHTML = await answer.text();
        else if (answer.status === 409 && first && location.pathname === "/reviews" && await toNext()) { keep(); return; }
        else refuse((await answer.json()).message);
        first = false;
      } catch { /* off line: the decision itself asks again */ }
    };
    /* Two came to the head of the queue at once: who came second is shown the next, and what the page said about the last stays. */
    async function toNext() {
      const answer = await ask(location.href), shown = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").body.querySelector("main");
      if (!shown || $("#why")?.value) return false;
      $("main").replaceChildren(...shown.childNodes);
      hold = $("[data-hold]"); since = performance.now();
      return true;
    }
    keep();
    setInterval(() => { if (!document.hidden) keep(); }, 240_000);
    /* The next page may show the same item and hold it before this word arrives: so it says which hold it means. */
    addEventListener("pagehide", () => { if (!hold) return; const form = new FormData(); form.append("csrf_token", token); form.append("until", $("[data-until]", hold)?.dataset.until || ""); navigator.sendBeacon(hold.dataset.letGo, form); });
    addEventListener("pageshow", (event) => { if (event.persisted) keep(); });
  }
  function refuse(words) {
    const box = $("#said"), note = document.createElement("div");
    if (!box) return;
    note.className = "note note-warn"; note.role = "alert"; note.textContent = words;
    box.replaceChildren(note);
    box.scrollIntoView({ block: "nearest" });
  }

  /* Small things */
  document.addEventListener("click", (event) => {
    const to = event.target.closest("[data-copy],[data-fill],[data-close],[data-show-keys],[data-toggle],[data-swap]");
    if (!to) return;
    if (to.dataset.copy !== undefined) {
      navigator.clipboard.writeText($(to.dataset.copy).textContent).then(() => { to.classList.add("done"); say("Copied"); $("[data-copied]", to)?.removeAttribute("hidden"); });
    } else if (to.dataset.fill !== undefined) {
      const field = $(to.dataset.into), chips = $$("[data-fill]", to.parentElement);
      chips.forEach((chip) => chip.setAttribute("aria-pressed", chip === to));
      field.value = to.dataset.fill; begin(field);
      const reason = to.dataset.reason && $("[data-reason-field]", field.form);
      if (reason) reason.value = to.dataset.reason;
      $$("[data-missing]", field.form).forEach((box) => { box.hidden = true; });
    } else if (to.dataset.close !== undefined) to.closest("[data-toast]")?.remove();
    else if (to.dataset.swap !== undefined) { $$(to.dataset.swap).forEach((one) => { one.hidden = !one.hidden; }); to.setAttribute("aria-pressed", to.getAttribute("aria-pressed") !== "true"); }
    else if (to.dataset.showKeys !== undefined) showKeys();
    else if (to.dataset.toggle !== undefined) { const box = $(to.dataset.toggle); box.hidden = !box.hidden; to.setAttribute("aria-expanded", !box.hidden); if (!box.hidden) begin($("textarea, input:not([type=hidden]), select", box)); }
  });
  /* Into a field with the caret behind what stands there: one goes on from it. */
  function begin(field) { field?.focus(); if (field?.matches("textarea")) field.setSelectionRange(field.value.length, field.value.length); }
  function leave(box) {
    const opener = $(`[data-toggle="#${box.id}"][aria-expanded]`);
    box.hidden = true; opener?.setAttribute("aria-expanded", "false"); opener?.focus();
  }
  document.addEventListener("change", (event) => { if (event.target.matches("[data-submit]")) event.target.form.requestSubmit(); });
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button?.dataset.needs !== undefined && !reasoned(event.target, button)) { event.preventDefault(); return; }
    if (button?.dataset.ask && !confirm(button.dataset.ask)) { event.preventDefault(); return; }
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
    if (button?.dataset.busy) { button.setAttribute("aria-busy", "true"); button.firstChild && (button.lastChild.textContent = ` ${button.dataset.busy} …`); }
  });
  /* A decision that teaches needs its reason: a chip, or at least words of one's own. */
  function reasoned(form, button) {
    const reason = $("[data-reason-field]", form), note = form.elements.note, words = note.value.trim();
    if (!reason.value && words) reason.value = "other";
    const lacks = !reason.value ? "missing" : /[:：]$/.test(words) ? "unfinished" : null, box = $(button.dataset.needs);
    box.hidden = !lacks;
    if (lacks) { box.textContent = box.dataset[lacks]; note.focus(); note.scrollIntoView({ block: "center" }); }
    return !lacks;
  }
  addEventListener("pageshow", (event) => { if (event.persisted) $$("form[data-sent]").forEach((form) => delete form.dataset.sent); });
  $$("[data-toast]").forEach((toast) => {
    let timer = setTimeout(() => toast.remove(), 10_000);
    const stay = () => clearTimeout(timer), go = () => { timer = setTimeout(() => toast.remove(), 10_000); };
    toast.addEventListener("pointerenter", stay); toast.addEventListener("focusin", stay);
    toast.addEventListener("pointerleave", go); toast.addEventListener("focusout", go);
  });
  document.addEventListener("click", (event) => { $$("details.clock[open], details.menu-box[open]").forEach((open) => { if (!open.contains(event.target)) open.open = false; }); });

  /* Keys: never inside a field. A letter that decides works only once the page had focus for 700 ms, so a key held down can't decide two. */
  const help = $("[data-keys-help]"), on = document.body.dataset.keys === "on";
  let went = 0, place = -1;
  function showKeys() {
    const list = $("[data-keys-list]");
    list.replaceChildren();
    const rows = [["G then D, R, C", "desk, reviews, cases"], ["J, K", "next, previous"], ["Enter", "open"], ["Esc", "close"], ["?", "this list"]];
    const told = new Set();
    $$("[data-key]").forEach((button) => {
      if (!button.offsetParent || told.has(button.dataset.key)) return;
      told.add(button.dataset.key);
      rows.push([button.dataset.key.toUpperCase(), (button.dataset.keyWords || button.textContent).replace(/\s+/g, " ").trim().replace(/ \S$/, "")]);
    });
    for (const [keys, what] of rows) { const dt = document.createElement("dt"), dd = document.createElement("dd"); dt.textContent = keys; dd.textContent = what; list.append(dt, dd); }
    help.showModal();
  }
  function step(by) {
    const items = $$("[data-item]");
    if (!items.length) return;
    place = Math.max(0, Math.min(items.length - 1, (items.includes(document.activeElement) ? items.indexOf(document.activeElement) : place) + by));
    items[place].focus(); items[place].scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && event.target.closest?.("[data-esc]");
    if (open) { leave(open); return; }
    /* Out of a field, so that the page's keys work again; menus and dialogs close first. */
    if (event.key === "Escape" && !event.defaultPrevented && event.target.matches?.("textarea, input") && !event.target.closest("details[open].menu-box, dialog")) event.target.blur();
    if (event.key === "Escape") $$("details[open]").forEach((open) => { if (open.matches(".clock, .menu-box")) { open.open = false; $("summary", open).focus(); } });
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { const form = event.target.closest("form"); const button = form && $("[data-main]", form); if (button) { event.preventDefault(); form.requestSubmit(button); } return; }
    if (!on || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable], dialog")) return;
    const key = event.key.toLowerCase();
    if (Date.now() - went < 1000 && { d: "/desk", r: "/reviews", c: "/cases" }[key]) { location.href = { d: "/desk", r: "/reviews", c: "/cases" }[key]; return; }
    if (key === "g") { went = Date.now(); return; }
    if (key === "?") { showKeys(); return; }
    if (key === "j" || key === "k") { step(key === "j" ? 1 : -1); return; }
    const within = document.activeElement?.closest("[data-item]");
    const button = (within && $(`[data-key="${CSS.escape(key)}"]`, within)) || $(`[data-key="${CSS.escape(key)}"]`);
    if (!button || !button.offsetParent) return;
    event.preventDefault();
    if (button.dataset.decides !== undefined && performance.now() - since < 700) return;
    button.click();
  });
})();
