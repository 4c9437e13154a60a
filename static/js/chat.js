/**
 * A conversation that is read while it grows.
 *
 * `[data-chat]` is the list; its entries have an id and `data-position` (see positions.js). Whoever is at the end stays
 * at the end; whoever reads further up is not moved, and `[data-chat-new]` says how many came meanwhile.
 * The "load older" entry is a plain link that htmx replaces by what it brings; what is being read stays where it is.
 *
 * `data-read` is where the page says how far its reader has come. `[data-chat-unread="position"]` leads to the first
 * message that is new to them, above which a line says so (`data-new-from-here`).
 */
import { announce } from "./notices.js";
import { widget } from "./widget.js";

const NEAR_END_PX = 120;
const READ_AFTER_MS = 800; // so long something must have been in sight
const MOST_LOADS = 5; // of up to a thousand messages each, for one jump

function scrollerOf(list) {
  for (let element = list; element; element = element.parentElement) {
    const { overflowY } = getComputedStyle(element);
    if (overflowY === "auto" || overflowY === "scroll") return element;
  }
  return document.scrollingElement;
}

widget("[data-chat]", (list) => {
  const button = document.querySelector("[data-chat-new]");
  let firstNew = null;
  let count = 0;

  const scroller = () => scrollerOf(list);

  function distanceToEnd() {
    const box = scroller();
    if (box === document.scrollingElement) return list.getBoundingClientRect().bottom - innerHeight;
    return box.scrollHeight - box.scrollTop - box.clientHeight; // what waits below the messages belongs to it
  }

  let atEnd = true;

  function toEnd() {
    const box = scroller();
    atEnd = true;
    box.scrollTop = box.scrollHeight;
    // Messages out of sight are only estimated until they are laid out: look again.
    requestAnimationFrame(() => {
      if (atEnd) box.scrollTop = box.scrollHeight;
    });
  }

  function showCount() {
    if (!button) return;
    const text = count === 0 ? button.dataset.none : count === 1 ? button.dataset.one : button.dataset.many;
    button.hidden = count === 0 && !farFromEnd();
    button.querySelector("[data-text]").textContent = text.replace("{count}", String(count));
  }

  // More than a screen of messages below: there is a way back to the newest, also when nothing new came.
  function farFromEnd() {
    const box = scroller();
    return box !== document.scrollingElement && distanceToEnd() > box.clientHeight;
  }

  function caughtUp() {
    count = 0;
    firstNew = null;
    showCount();
  }

  const onScroll = () => {
    atEnd = distanceToEnd() < NEAR_END_PX;
    if (atEnd) caughtUp();
    else showCount();
    readSoon();
  };
  document.addEventListener("scroll", onScroll, { passive: true, capture: true });

  button?.addEventListener("click", () => {
    if (firstNew) firstNew.scrollIntoView({ block: "start" });
    else toEnd();
    caughtUp();
  });

  // --- What has been read ---------------------------------------------------------------------------------------------

  let told = -1;
  let reading;

  function lastInSight() {
    const box = scroller();
    const own = box === document.scrollingElement ? { top: 0, bottom: innerHeight } : box.getBoundingClientRect();
    const bottom = Math.min(own.bottom, innerHeight);
    if (bottom <= Math.max(own.top, 0)) return -1; // on a phone the whole conversation may be out of sight
    for (let entry = list.lastElementChild; entry; entry = entry.previousElementSibling) {
      if (entry.dataset.position !== undefined && entry.getBoundingClientRect().top < bottom) return Number(entry.dataset.position);
    }
    return -1;
  }

  async function tell() {
    const position = document.hidden ? -1 : lastInSight();
    if (position <= told) return;
    const before = told;
    told = position;
    try {
      const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
      const body = new URLSearchParams({ position });
      const answer = await fetch(list.dataset.read, { method: "POST", headers, body, keepalive: true });
      if (!answer.ok) told = before;
    } catch {
      told = before; // the next scroll or message tries again
    }
  }

  function readSoon() {
    if (!list.dataset.read) return;
    clearTimeout(reading);
    reading = setTimeout(tell, READ_AFTER_MS);
  }
  document.addEventListener("visibilitychange", readSoon);

  const jump = document.querySelector("[data-chat-unread]");
  const firstUnread = jump?.dataset.chatUnread;

  /** The line above what is new; null while that is not loaded. */
  function marker() {
    const old = list.querySelector("[data-first-unread]");
    const first = firstUnread && document.getElementById(`m${firstUnread}`);
    if (old || !first) return old;
    const line = document.createElement("li");
    line.className = "unread-marker";
    line.dataset.firstUnread = "";
    line.textContent = list.dataset.newFromHere;
    first.before(line);
    return line;
  }

  function toUnread() {
    const line = marker();
    if (!line) return;
    line.scrollIntoView({ block: "start" });
    line.tabIndex = -1;
    line.focus({ preventScroll: true });
    jump.hidden = true;
  }

  jump?.addEventListener("click", async (event) => {
    let older = list.querySelector("[data-older]");
    if (!marker() && !older) return; // then the link leads to a page with it
    event.preventDefault();
    atEnd = false; // what is loaded now must not pull there again
    for (let loads = 0; !marker() && older && loads < MOST_LOADS; loads += 1) {
      const address = new URL(older.querySelector("a").href);
      address.searchParams.set("from", firstUnread);
      await window.htmx.ajax("GET", address.pathname + address.search, { target: older, swap: "outerHTML" });
      older = list.querySelector("[data-older]");
    }
    toUnread();
  });

  let last = Number(list.querySelector(":scope > [data-position]:last-of-type")?.dataset.position ?? -1);
  const observer = new MutationObserver((changes) => {
    const fresh = changes
      .flatMap((change) => [...change.addedNodes])
      .filter((node) => node instanceof Element && node.isConnected && Number(node.dataset.position) > last);
    if (fresh.length === 0) {
      if (atEnd) toEnd(); // a message grew, a picture came
      return;
    }
    readSoon();
    last = Math.max(...fresh.map((node) => Number(node.dataset.position)));
    const others = fresh.filter((node) => node.dataset.role !== "user");
    if (others.length > 0 && list.dataset.announce) announce(list.dataset.announce);
    if (atEnd) {
      toEnd();
      return;
    }
    firstNew ??= fresh[0];
    count += fresh.length;
    showCount();
  });
  observer.observe(list, { childList: true });

  // The place for the messages changes its size, too: a question appears below, a picture gets its height.
  const resized = new ResizeObserver(() => atEnd && toEnd());
  resized.observe(list);
  if (scroller() !== document.scrollingElement) resized.observe(scroller());

  // Whoever sends something wants to see it, and the answer to their form brings it; what others send moves nobody who
  // reads further up.
  let sending = false;
  const onSubmit = () => {
    sending = true;
  };
  const onSent = () => {
    sending = false;
  };
  document.addEventListener("submit", onSubmit);
  document.addEventListener("htmx:finally:request", onSent);
  const own = new MutationObserver((changes) => {
    const sent = changes.some((change) => [...change.addedNodes].some((node) => node.nodeType === Node.ELEMENT_NODE));
    if (sent && (sending || atEnd)) toEnd();
  });
  const ownList = document.querySelector("[data-chat-own]");
  if (ownList) own.observe(ownList, { childList: true });

  // Older messages come in above: what is being read stays where it is. Browsers do that by themselves, but not from the
  // very top, which is where the link is. Whoever pressed it goes on from there by keyboard.
  let kept = null;
  const onBefore = (event) => {
    const source = event.detail.ctx?.sourceElement;
    const first = list.querySelector(":scope > [data-position]");
    if (!first || !list.contains(event.target)) return;
    kept = { first, top: first.getBoundingClientRect().top, focused: source?.contains(document.activeElement) };
  };
  const onAfter = () => {
    if (!kept) return;
    const { first, top, focused } = kept;
    kept = null;
    scroller().scrollTop += first.getBoundingClientRect().top - top;
    if (!focused) return;
    const next = first.previousElementSibling ?? first;
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
  };
  document.addEventListener("htmx:before:swap", onBefore);
  document.addEventListener("htmx:after:swap", onAfter);

  const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  const unread = marker();
  if (target && list.contains(target)) target.scrollIntoView({ block: "center" });
  else if (unread && scroller() !== document.scrollingElement) {
    scroller().scrollTop += unread.getBoundingClientRect().top - scroller().getBoundingClientRect().top;
    jump.hidden = true;
  } else if (scroller() !== document.scrollingElement) toEnd();
  onScroll();

  return () => {
    clearTimeout(reading);
    document.removeEventListener("visibilitychange", readSoon);
    observer.disconnect();
    resized.disconnect();
    own.disconnect();
    document.removeEventListener("submit", onSubmit);
    document.removeEventListener("htmx:finally:request", onSent);
    document.removeEventListener("scroll", onScroll, { capture: true });
    document.removeEventListener("htmx:before:swap", onBefore);
    document.removeEventListener("htmx:after:swap", onAfter);
  };
});
