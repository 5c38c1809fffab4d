// Asks whether anything is new and brings it in, but never under a hand that is typing.
"use strict";
const EVERY = 2000;

function isTyping() {
  const field = document.activeElement;
  return Boolean(document.getElementById("answer")) || (field && field.tagName === "TEXTAREA" && field.closest("#timeline"));
}

async function look() {
  const timeline = document.getElementById("timeline");
  if (!timeline || document.hidden || isTyping()) return;
  const state = await (await fetch(timeline.dataset.state)).json();
  if (String(state.version) === timeline.dataset.version) return;
  const page = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), "text/html");
  const fresh = page.getElementById("timeline");
  if (fresh && !isTyping()) timeline.replaceWith(fresh);
}

setInterval(() => look().catch(() => {}), EVERY);
