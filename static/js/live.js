/**
 * Keeps the page's one event stream honest: `[data-live]` from components/stream.html.
 *
 * htmx's extension reads the stream, swaps what it brings and tries again when it breaks. It does not retry a first
 * failure, does not notice a stream that went silent and says nothing to the reader; this module does.
 *
 * Events of the stream: `alive` every 20 s with {"version": 12, "age": 3.2}; frames carry their version as id.
 * Elements: `[data-live-state]` shows the state in words ("live", "late", "off"), `[data-live-age]` when the
 * mirror last looked at HeyGen.
 */
import { now } from "./now.js";
import { widget } from "./widget.js";

const SILENCE_SECONDS = 45;
const FIRST_WORD_SECONDS = 25; // a fresh connection says `alive` at once or within its 20 s
const RETRY_SECONDS = [1, 2, 4, 8, 15, 30];
const RELOAD_GUARD = "live:reloaded";
const words = document.getElementById("words")?.dataset ?? {};

function banner(shown) {
  const place = document.getElementById("banners");
  const old = document.getElementById("live-banner");
  if (!shown) {
    old?.remove();
    return;
  }
  if (!place || old) return;
  const text = document.createElement("p");
  text.textContent = words.notLive;
  const box = document.createElement("div");
  box.id = "live-banner";
  box.className = "banner";
  box.append(text);
  place.append(box);
}

function showState(state) {
  for (const element of document.querySelectorAll("[data-live-state]")) {
    if (element.dataset.state === state) continue;
    element.dataset.state = state;
    element.textContent = element.dataset[`word${state[0].toUpperCase()}${state.slice(1)}`] ?? "";
  }
  document.documentElement.toggleAttribute("data-not-live", state === "off");
  banner(state === "off");
}

/** Signed out or no longer a member: the server decides where to, but only once a minute. */
function leave() {
  const last = Number(sessionStorage.getItem(RELOAD_GUARD) ?? 0);
  if (Date.now() - last < 60_000) return false;
  sessionStorage.setItem(RELOAD_GUARD, String(Date.now()));
  location.reload();
  return true;
}

function watch(element) {
  const address = new URL(element.getAttribute("hx-sse:connect"), location.href);
  let version = Number(address.searchParams.get("since") ?? 0);
  let failures = 0;
  let behind = 0; // a version that `alive` named and no frame has brought
  let asked = 0; // ... and for which the stream was opened anew
  let timer;

  function expectWithin(seconds) {
    clearTimeout(timer);
    timer = setTimeout(lost, seconds * 1000);
  }

  function open() {
    if (document.hidden || !element.isConnected) return;
    address.searchParams.set("since", String(version));
    element.setAttribute("hx-sse:connect", address.pathname + address.search);
    window.htmx.process(element, true); // ends what was there, reads the new address
    element.dispatchEvent(new CustomEvent("live:open"));
    expectWithin(FIRST_WORD_SECONDS);
  }

  function lost() {
    if (document.hidden) return;
    showState("off");
    again();
  }

  function again() {
    const pause = RETRY_SECONDS[Math.min(failures, RETRY_SECONDS.length - 1)] * (0.75 + Math.random() / 2);
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(open, pause * 1000);
  }

  function heard() {
    failures = 0;
    showState("live");
    expectWithin(SILENCE_SECONDS);
  }

  function failed(status) {
    if (status === 403 && leave()) return;
    showState(failures === 0 ? "late" : "off");
    again();
  }

  function saw(number) {
    if (Number.isFinite(number) && number > version) version = number;
  }

  const listeners = {
    alive(event) {
      heard();
      let news;
      try {
        news = JSON.parse(event.detail.data);
      } catch {
        return;
      }
      if (typeof news.age === "number") {
        const looked = new Date(now() - news.age * 1000).toISOString();
        for (const time of document.querySelectorAll("[data-live-age] time")) time.dateTime = looked;
      }
      if (news.version <= version) return;
      if (behind === news.version && asked !== behind) {
        asked = behind; // twice said, never brought: a frame got lost, so ask for what came after the last one seen
        open();
      }
      behind = news.version;
    },
    "htmx:sse:after:connection"() {
      heard();
    },
    "htmx:sse:after:message"(event) {
      if (!event.detail.message.event) saw(Number(event.detail.message.id));
      heard();
    },
    "htmx:sse:error"(event) {
      if (event.detail.status === 403) failed(403);
      else if (!document.hidden) showState("late");
    },
    "htmx:response:error"(event) {
      failed(event.detail.ctx.response.status);
    },
    "htmx:error"() {
      failed(0);
    },
  };
  for (const [name, listener] of Object.entries(listeners)) element.addEventListener(name, listener);

  const visibility = () => {
    if (document.hidden) {
      clearTimeout(timer); // the extension closes the stream
      return;
    }
    showState("late");
    // eslint-disable-next-line no-underscore-dangle -- how htmx marks an element with a stream
    if (element._htmx?.sse) expectWithin(10);
    else open();
  };
  document.addEventListener("visibilitychange", visibility);
  const restored = (event) => event.persisted && open();
  window.addEventListener("pageshow", restored);
  // The browser knows of a lost network long before the stream's silence tells.
  const online = () => {
    failures = 0;
    open();
  };
  window.addEventListener("offline", lost);
  window.addEventListener("online", online);
  // One turn later than htmx's own start, or it would set the element up a second time.
  setTimeout(open);

  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", visibility);
    window.removeEventListener("pageshow", restored);
    window.removeEventListener("offline", lost);
    window.removeEventListener("online", online);
  };
}

widget("[data-live]", watch);
