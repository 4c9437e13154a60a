/**
 * The inbox: the session that has the focus in the list is shown beside it (`a[data-pane]`), and news of the list moves
 * nothing under the hand (`hx-swap="steady"`).
 *
 * While somebody is at the list, with the pointer or the focus, a row that waits no longer stays where it is and says so,
 * and what is new comes last. Otherwise the list becomes what the server says, in its order.
 */
const pane = document.getElementById("inbox-pane");
const section = pane?.closest("section");
let shown = null; // the row's link
let loading = null;
let api;

function isWide() {
  return section !== null && section.checkVisibility();
}

async function show(link) {
  if (link === shown || !isWide()) return;
  shown?.closest("li")?.removeAttribute("aria-current");
  shown = link;
  link.closest("li").setAttribute("aria-current", "true");
  loading?.abort();
  loading = new AbortController();
  // Emptied at once: a key must never press what belongs to the row before.
  pane.replaceChildren(document.getElementById("pane-skeleton").content.cloneNode(true));
  pane.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.dataset.pane, { headers: { "HX-Request": "true" }, signal: loading.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const html = await answer.text();
    if (shown !== link) return;
    pane.innerHTML = html;
    window.htmx.process(pane);
  } catch (error) {
    if (error.name === "AbortError") return;
    const text = document.createElement("p");
    text.className = "card-pad muted";
    text.textContent = section.dataset.wordFailed;
    pane.replaceChildren(text);
  }
  pane.removeAttribute("aria-busy");
}

document.addEventListener("focusin", (event) => {
  const link = event.target.closest?.("a[data-pane]") ?? event.target.closest?.("[data-inbox] li")?.querySelector("a[data-pane]");
  if (link) show(link);
});

// The first click chooses, the second opens; a click by Enter (detail 0) opens at once.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-pane]");
  if (!link || event.detail === 0 || event.ctrlKey || event.metaKey || event.shiftKey || !isWide()) return;
  if (link === shown && pane.hasChildNodes() && link.hasAttribute("data-chosen")) return;
  event.preventDefault();
  for (const other of document.querySelectorAll("[data-chosen]")) other.removeAttribute("data-chosen");
  link.setAttribute("data-chosen", "");
  link.focus();
  show(link);
});

function somebodyIsAt(list) {
  return list.matches(":hover") || list.contains(document.activeElement) || section?.contains(document.activeElement);
}

function morph(old, fresh) {
  const current = old.getAttribute("aria-current");
  const wrapper = document.createDocumentFragment();
  wrapper.append(fresh);
  api.morph(old, wrapper, false);
  old.removeAttribute("data-gone");
  if (current) old.setAttribute("aria-current", current);
}

window.htmx?.registerExtension("steady", {
  init(internal) {
    api = internal;
  },
  handle_swap(style, list, fragment) {
    if (style !== "steady") return false;
    const fresh = new Map([...fragment.children].map((row) => [row.id, row]));
    const rows = [...list.children];
    const stays = somebodyIsAt(list) && rows.some((row) => row.hasAttribute("data-key-row"));
    for (const row of rows) {
      if (fresh.has(row.id)) continue;
      if (stays && row.hasAttribute("data-key-row")) row.setAttribute("data-gone", "");
      else row.remove();
    }
    if (stays) fresh.delete("waiting-nothing");
    for (const [id, row] of fresh) {
      const old = document.getElementById(id);
      if (old && list.contains(old)) {
        morph(old, row);
        if (!stays) list.append(old);
      } else list.append(row);
    }
    return [...list.children];
  },
});
