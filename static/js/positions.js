/**
 * A swap style of our own for things that have a place: `hx-swap="positions"`.
 *
 * Each element of the fragment has an id and `data-position`; one that is on the page already is morphed in place, a
 * new one is inserted where its position belongs. What is not in the fragment is never touched. Elements of the list
 * without a position (a "load older" link) stay first.
 */
let api;

function place(target, element) {
  const position = Number(element.dataset.position);
  let after = null; // from the end: new things nearly always go there
  for (let child = target.lastElementChild; child; child = child.previousElementSibling) {
    const its = child.dataset.position;
    if (its === undefined || Number(its) <= position) {
      after = child;
      break;
    }
  }
  if (after) after.after(element);
  else target.prepend(element);
}

/** Whether it belongs among older ones that were not loaded yet: it comes when they are. */
function isBeforeLoaded(target, element) {
  const first = target.querySelector(":scope > [data-position]");
  const hasOlder = target.querySelector(":scope > [data-older]") !== null;
  return hasOlder && first !== null && Number(element.dataset.position) < Number(first.dataset.position);
}

window.htmx?.registerExtension("positions", {
  init(internal) {
    api = internal;
  },
  handle_swap(style, target, fragment) {
    if (style !== "positions") return false;
    const changed = [];
    for (const element of [...fragment.children]) {
      const old = element.id && target.querySelector(`:scope > #${CSS.escape(element.id)}`);
      if (old) {
        const wrapper = document.createDocumentFragment();
        wrapper.append(element);
        api.morph(old, wrapper, false); // keeps a playing sound, an open menu, the focus
        changed.push(old);
      } else if (!isBeforeLoaded(target, element)) {
        place(target, element);
        changed.push(element);
      }
    }
    return changed;
  },
});
