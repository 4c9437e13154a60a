/**
 * The inbox: the session that has the focus in the list is shown beside it (`a[data-pane]`), kept current with the list, whose
 * news moves nothing under the hand (`hx-swap="steady"`).
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

async function load(link) {
  loading?.abort();
  loading = new AbortController();
  const address = new URL(link.dataset.pane, location.href);
  const token = pane.querySelector("[name=token]")?.value;
  if (token) address.searchParams.set("beside", token);
  const answer = await fetch(address, { headers: { "HX-Request": "true" }, signal: loading.signal });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.text();
}

async function show(link) {
  if (link === shown || !isWide()) return;
  shown?.closest("li")?.removeAttribute("aria-current");
  shown = link;
  link.closest("li").setAttribute("aria-current", "true");
  // Emptied at once: a key must never press what belongs to the row before.
  pane.replaceChildren(document.getElementById("pane-skeleton").content.cloneNode(true));
  pane.setAttribute("aria-busy", "true");
  try {
    pane.innerHTML = await load(link);
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

/** What the agent asks in it, as its forms name it. */
function asked(root) {
  return [...root.querySelectorAll("input[name=revision], input[name=question]")].map(({ value }) => value).join();
}

/** Brings what is shown up to date; what is typed in it stays, and the focus. */
async function renew() {
  const old = pane.querySelector("[data-pane-of]");
  if (!old || !isWide() || old.querySelector("form[aria-busy]")) return;
  const fresh = document.createElement("template");
  try {
    fresh.innerHTML = await load(shown);
  } catch {
    return; // chosen another, pressed something, or no answer: the next one tells
  }
  if (!old.isConnected) return;
  if (asked(old) && asked(old) !== asked(fresh.content)) {
    // A hand on its way to the button must not answer what nobody has seen.
    const { wordChanged, wordChangedTitle, wordChangedYes } = section.dataset;
    for (const button of fresh.content.querySelectorAll("#pane-approve button, #pane-choices button")) {
      Object.assign(button.dataset, { confirm: wordChanged, confirmTitle: wordChangedTitle, confirmYes: wordChangedYes });
    }
  }
  api.morph(old, fresh.content, false);
  window.htmx.process(pane);
}

document.querySelector("[data-inbox] [data-refresh]")?.addEventListener("refresh", renew);
// An answer from before a press would undo what the press shows.
section?.addEventListener("submit", () => loading?.abort(), true);

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
