/**
 * The document's title: "(3) What the page is · Dailies", where 3 wait for a person.
 * A pushed fragment changes the page's part with `<span hidden data-page-title="…">`.
 */
import { widget } from "./widget.js";

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
}

const badge = document.querySelector("[data-needs-you-count]:not([hidden]) [data-count]");
if (badge) setWaiting(Number.parseInt(badge.textContent, 10) || 0);

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
