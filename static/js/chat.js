/**
 * A conversation that is read while it grows.
 *
 * `[data-chat]` is the list; its entries have an id and `data-position` (see positions.js). Whoever is at the end stays
 * at the end; whoever reads further up is not moved, and `[data-chat-new]` says how many came meanwhile.
 * The "load older" entry is a plain link that htmx replaces by what it brings.
 */
import { announce } from "./notices.js";
import { widget } from "./widget.js";

const NEAR_END_PX = 120;

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
    const end = list.getBoundingClientRect().bottom;
    const box = scroller();
    const bottom = box === document.scrollingElement ? innerHeight : box.getBoundingClientRect().bottom;
    return end - bottom;
  }

  function toEnd(behavior = "auto") {
    const box = scroller();
    box.scrollTo({ top: box.scrollHeight, behavior });
    // Messages out of sight are only estimated until they are laid out: look again.
    requestAnimationFrame(() => box.scrollTo({ top: box.scrollHeight, behavior }));
  }

  function showCount() {
    if (!button) return;
    button.hidden = count === 0;
    const text = count === 1 ? button.dataset.one : button.dataset.many?.replace("{count}", String(count));
    const label = button.querySelector("[data-text]") ?? button;
    if (count > 0) label.textContent = text;
  }

  function caughtUp() {
    if (count === 0) return;
    count = 0;
    firstNew = null;
    showCount();
  }

  let atEnd = true;
  const onScroll = () => {
    atEnd = distanceToEnd() < NEAR_END_PX;
    if (atEnd) caughtUp();
  };
  document.addEventListener("scroll", onScroll, { passive: true, capture: true });

  button?.addEventListener("click", () => {
    (firstNew ?? list.lastElementChild)?.scrollIntoView({ block: "start" });
    caughtUp();
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

  // Whoever sends something wants to see it.
  const own = new MutationObserver((changes) => {
    const sent = changes.some((change) => [...change.addedNodes].some((node) => node.nodeType === Node.ELEMENT_NODE));
    if (sent) toEnd();
  });
  const ownList = document.querySelector("[data-chat-own]");
  if (ownList) own.observe(ownList, { childList: true });

  // Older messages come in above: what is being read stays where it is, also where the browser does not see to it.
  const keeps = CSS.supports("overflow-anchor", "auto");
  let before = 0;
  const onBefore = (event) => {
    if (!keeps && list.contains(event.target)) before = scroller().scrollHeight;
  };
  const onAfter = () => {
    if (before === 0) return;
    const box = scroller();
    box.scrollTop += box.scrollHeight - before;
    before = 0;
  };
  document.addEventListener("htmx:before:swap", onBefore);
  document.addEventListener("htmx:after:swap", onAfter);

  const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  const unread = list.querySelector("[data-first-unread]");
  if (target && list.contains(target)) target.scrollIntoView({ block: "center" });
  else if (unread) unread.scrollIntoView({ block: "start" });
  else if (scroller() !== document.scrollingElement) toEnd();
  onScroll();

  return () => {
    observer.disconnect();
    resized.disconnect();
    own.disconnect();
    document.removeEventListener("scroll", onScroll, { capture: true });
    document.removeEventListener("htmx:before:swap", onBefore);
    document.removeEventListener("htmx:after:swap", onAfter);
  };
});
