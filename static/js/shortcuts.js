/**
 * Keys. `data-key="a" data-key-label="Approve"` on a link, button, box or field: the key presses, ticks or focuses it.
 * `[data-key-list]` holds links marked `data-key-item`: j and k go down and up among them, from the one that has the focus or
 * whose `[data-key-row]` is the current one. Escape leads from a text field with a key back to its row.
 * `?` shows all keys of the page. They can be switched off, for whoever dictates or types by switch: `body[data-shortcuts]` is "on" or "off", per person.
 */
import { widget } from "./widget.js";

// Whoever begins to write with no field to write in presses keys that mean nothing: what follows at once is no command.
const WRITING_MS = 1000;
let wroteAt = -Infinity;

function switchedOff() {
  return document.body.dataset.shortcuts !== "on";
}

function usable(element) {
  return element.checkVisibility() && !element.disabled && element.getAttribute("aria-disabled") !== "true";
}

function typing(target) {
  return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]") !== null;
}

function press(element) {
  if (element.matches("input:not([type=submit], [type=button], [type=checkbox], [type=radio]), textarea, select")) {
    element.focus();
    element.select?.();
  } else {
    element.click();
  }
}

/** The link of the row that a field stands in, else of the current one. */
function itemOf(field) {
  const row = field?.closest("[data-key-row]") ?? document.querySelector("[data-key-row][aria-current]");
  return row?.querySelector("[data-key-item]");
}

function move(step) {
  const items = [...document.querySelectorAll("[data-key-list] [data-key-item]")].filter(usable);
  if (items.length === 0) return false;
  const focused = items.findIndex((item) => item === document.activeElement || item.parentElement?.contains(document.activeElement));
  const here = focused === -1 ? items.indexOf(itemOf(null)) : focused;
  const next = here === -1 ? (step > 0 ? 0 : items.length - 1) : Math.min(Math.max(here + step, 0), items.length - 1);
  items[next].focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!(event.target instanceof Element)) return;
  if (event.key === "Escape" && event.target.matches("textarea[data-key]")) {
    event.target.blur();
    itemOf(event.target)?.focus();
    return;
  }
  if (switchedOff() || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key.length === 1 && event.timeStamp - wroteAt < WRITING_MS) {
    wroteAt = event.timeStamp;
    return;
  }
  if (event.key === "j" || event.key === "k") {
    if (move(event.key === "j" ? 1 : -1)) event.preventDefault();
    return;
  }
  if (event.key === "?") {
    document.getElementById("shortcuts")?.showModal();
    event.preventDefault();
    return;
  }
  // A key that is held down is one press: it must not approve what comes next.
  if (event.key.length !== 1 || event.repeat) return;
  // A key belongs to the item it stands beside, if the focus is in one; else to the page.
  const selector = `[data-key="${CSS.escape(event.key)}"]`;
  const row = document.activeElement?.closest("[data-key-row]");
  const wanted = [...(row?.querySelectorAll(selector) ?? []), ...document.querySelectorAll(selector)].find(usable);
  if (!wanted) {
    if (event.key !== " ") wroteAt = event.timeStamp;
    return;
  }
  event.preventDefault();
  press(wanted);
});

widget("[data-shortcuts-on]", (box) => {
  // The box's form tells the server; this page follows at once.
  box.addEventListener("change", () => {
    document.body.dataset.shortcuts = box.checked ? "on" : "off";
  });
});

document.getElementById("shortcuts")?.addEventListener("toggle", (event) => {
  const list = event.target.querySelector("[data-shortcut-list]");
  if (!list || event.newState !== "open") return;
  const seen = new Map();
  if (document.querySelector("[data-key-list]")) {
    seen.set("j", list.dataset.down);
    seen.set("k", list.dataset.up);
    seen.set("Enter", list.dataset.enter);
  }
  for (const element of document.querySelectorAll("[data-key]")) {
    const label = element.dataset.keyLabel ?? element.getAttribute("aria-label") ?? element.textContent.trim();
    if (!seen.has(element.dataset.key)) seen.set(element.dataset.key, label);
  }
  seen.set("?", list.dataset.help);
  list.replaceChildren(
    ...[...seen].flatMap(([key, label]) => {
      const term = document.createElement("dt");
      const cap = document.createElement("kbd");
      const meaning = document.createElement("dd");
      cap.textContent = key;
      term.append(cap);
      meaning.textContent = label;
      return [term, meaning];
    }),
  );
});
