/**
 * The document's title: "(3) What the page is · Dailies", where 3 wait for a person.
 * A pushed fragment changes the page's part with `<span hidden data-page-title="…">`.
 */
import { widget } from "./widget.js";

const KEPT = `waiting:${document.documentElement.dataset.user ?? ""}`;

let page = document.title;
let waiting = 0;

function show() {
  document.title = waiting > 0 ? `(${waiting}) ${page}` : page;
  const icon = document.querySelector("link[data-favicon]");
  if (!icon) return;
  icon.dataset.usual ??= icon.getAttribute("href");
  const wanted = waiting > 0 ? icon.dataset.attention : icon.dataset.usual;
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
}

/** How many sessions wait for a person: in the title, the favicon and the navigation. */
export function setWaiting(count) {
  waiting = count;
  show();
  for (const badge of document.querySelectorAll("[data-needs-you-count]")) {
    badge.querySelector("[data-count]").textContent = count > 99 ? "99+" : String(count);
    badge.hidden = count === 0;
  }
  try {
    sessionStorage.setItem(KEPT, String(count));
  } catch {
    // then the next page shows it as soon as it has asked
  }
}

/** Only the inbox knows it when it is drawn; the other pages begin with what was known last, instead of none. */
function known() {
  const drawn = document.querySelector("[data-needs-you-count] [data-count]")?.textContent;
  try {
    return drawn || sessionStorage.getItem(KEPT);
  } catch {
    return drawn;
  }
}

const first = known();
if (first) setWaiting(Number.parseInt(first, 10) || 0);

/** What the page itself is called now. */
export function setPage(title) {
  page = title.replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, ""); // they would turn the rest around
  show();
}

// Pushed anew it is morphed: the element stays, and says something else.
widget("[data-page-title]", (element) => {
  const look = () => setPage(element.dataset.pageTitle);
  look();
  const observer = new MutationObserver(look);
  observer.observe(element, { attributeFilter: ["data-page-title"] });
  return () => observer.disconnect();
});
