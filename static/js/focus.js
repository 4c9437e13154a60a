/**
 * Whoever works by keyboard keeps their place. When what has the focus leaves the page or is hidden (a swap, a row that was
 * put off, a notice that went away), the focus goes to what took its place: the same thing drawn anew, its row or the next
 * one of its list, the nearest named part of the page around it; else to where it was before.
 *
 * Whoever lets go of the focus themselves, by a click beside or by Escape, is left alone.
 */
const NAMED = "section, article, form, dialog, [role=group], [role=region]";
const REACHABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
const REMEMBERED = 8;

let byKey = false;
let trail = []; // what had the focus, the newest first: {element, line: what it stands in, from the inside out}
let looking = false;

function inSight(element) {
  return element.isConnected && element.checkVisibility({ visibilityProperty: true }) && !element.disabled;
}

function canHold(element) {
  return inSight(element) && element.matches(`${REACHABLE}, [tabindex]`);
}

function firstIn(element) {
  return [...element.querySelectorAll(REACHABLE)].find(inSight);
}

function lineOf(element) {
  const line = [];
  for (let each = element; each && each !== document.body; each = each.parentElement) {
    const list = each.matches("li, tr") ? each.parentElement : null;
    line.push({ element: each, list, place: list ? [...list.children].indexOf(each) : -1 });
  }
  return line;
}

/** What stands where a row of a list stood, or still stands in it. */
function inItsRow({ element, list, place }) {
  if (inSight(element)) return firstIn(element);
  if (!list?.isConnected) return null;
  const rows = [...list.children];
  const next = [...rows.slice(place), ...rows.slice(0, place).reverse()].find(inSight);
  return next && firstIn(next);
}

function successor({ element, line }) {
  const same = element.id && document.getElementById(element.id);
  const open = document.querySelector("dialog[open]"); // nothing behind it takes the focus
  const found = [same, ...line.flatMap((step) => [step.list && inItsRow(step), step.element.matches(NAMED) && step.element])];
  return found.find((each) => each && inSight(each) && (!open || open.contains(each)));
}

function look() {
  looking = false;
  if (document.activeElement !== document.body || trail.length === 0 || canHold(trail[0].element)) return;
  for (const each of trail) {
    const next = inSight(each.element) ? each.element : successor(each);
    if (!next) continue;
    if (!canHold(next)) next.tabIndex = -1;
    next.focus({ preventScroll: next.matches(NAMED) });
    return;
  }
}

// What is hidden loses the focus with the next picture only.
function soon() {
  if (looking) return;
  looking = true;
  requestAnimationFrame(() => setTimeout(look));
}

// Browsers leave what is half behind an edge where it is. A link over its whole row brings the row.
document.addEventListener("keydown", () => {
  byKey = true;
});
document.addEventListener("pointerdown", () => {
  byKey = false;
});
document.addEventListener("focusin", ({ target }) => {
  if (byKey) (target.closest(".items > li:has(.item-link:focus)") ?? target).scrollIntoView({ block: "nearest", inline: "nearest" });
  trail = [{ element: target, line: lineOf(target) }, ...trail.filter(({ element }) => element !== target)].slice(0, REMEMBERED);
});
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (relatedTarget || !document.hasFocus()) return;
  setTimeout(() => {
    if (document.activeElement === document.body && canHold(target)) trail = [];
  });
});
new MutationObserver(soon).observe(document.body, {
  attributeFilter: ["hidden", "disabled", "open", "tabindex", "data-gone"],
  childList: true,
  subtree: true,
});
