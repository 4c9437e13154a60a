/**
 * Calls `start(element)` once for every element that matches `selector`, now and whenever one appears:
 * after a swap, an event of the stream, a part of the page made by another module.
 *
 * `start` may return a function; it is called when the element has left the page.
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

  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) look(node);
    }
    for (const [element, end] of ends) {
      if (element.isConnected) continue;
      ends.delete(element);
      end?.();
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
  look(document.documentElement);
}
