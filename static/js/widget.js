/**
 * Calls `start(element)` once for every element that matches `selector`, now and whenever one appears:
 * after a swap, an event of the stream, a part of the page made by another module. A morph makes one of an element that was
 * something else before, by its attributes only.
 *
 * `start` may return a function; it is called when the element has left the page, or matches no longer.
 */
export function widget(selector, start) {
  const ends = new Map();

  function look(root) {
    if (root.nodeType !== Node.ELEMENT_NODE) return;
    if (root.matches(selector)) begin(root);
    for (const element of root.querySelectorAll(selector)) begin(element);
  }

  function begin(element) {
    if (ends.has(element)) return;
    ends.set(element, null); // before start(): what it changes must not start it again
    ends.set(element, start(element) ?? null);
  }

  function finish(element) {
    const end = ends.get(element);
    ends.delete(element);
    end?.();
  }

  const attributeFilter = [...selector.matchAll(/\[([\w-]+)/g)].map(([, name]) => name);
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      for (const node of addedNodes) look(node);
      if (type !== "attributes") continue;
      if (ends.has(target) && !target.matches(selector)) finish(target);
      look(target);
    }
    for (const element of ends.keys()) {
      if (!element.isConnected) finish(element);
    }
  }).observe(document.documentElement, { attributeFilter, childList: true, subtree: true });
  look(document.documentElement);
}
