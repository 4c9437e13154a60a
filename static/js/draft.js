/**
 * `data-draft="key"` on a text field: what was typed survives a reload, a crash and a sign-out.
 * Kept in this browser only, per user and key; forgotten when its form was accepted.
 * One that its form already has text for stays, unless the field says `data-draft-wins`.
 * `data-draft-with="id"` names a hidden field whose value belongs to the text and is kept with it.
 *
 * The form counts as accepted when the next page says so (`<meta name="draft-sent" content="key">`, which the
 * server writes after a plain post) or when htmx brings a 2xx answer.
 */
import { widget } from "./widget.js";

const user = document.documentElement.dataset.user ?? "nobody";
const MAX_AGE_DAYS = 60;

function keyFor(name) {
  return `draft:${user}:${name}`;
}

function keyOf(field) {
  return keyFor(field.dataset.draft);
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

function companionOf(field) {
  return field.dataset.draftWith ? document.getElementById(field.dataset.draftWith) : null;
}

function write(key, text, companion) {
  const kept = read(key);
  if (kept?.text === text && kept.with === companion?.value) return; // by another tab: told once more it would answer
  try {
    if (text) localStorage.setItem(key, JSON.stringify({ text, with: companion?.value, at: Date.now() }));
    else localStorage.removeItem(key);
  } catch {
    // A full or forbidden storage: the draft lives as long as the page.
  }
}

/** What is kept under this name (as in `data-draft`): {text, with}; null where nothing is. */
export function draftOf(name) {
  return read(keyFor(name));
}

/** The same with all names that go on with ":" after it. */
export function forgetDraft(name) {
  const key = keyFor(name);
  try {
    for (const each of Object.keys(localStorage)) {
      if (each === key || each.startsWith(`${key}:`)) localStorage.removeItem(each);
    }
  } catch {
    // No storage, nothing to forget.
  }
}

const accepted = document.querySelectorAll('meta[name="draft-sent"]');
for (const sent of accepted) forgetDraft(sent.content);
// The page's address said so, once: after a reload it would forget what is typed from now on.
if (accepted.length > 0) history.replaceState(history.state, "", location.pathname + location.hash);
try {
  const oldest = Date.now() - MAX_AGE_DAYS * 24 * 3600 * 1000;
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("draft:") && (read(key)?.at ?? 0) < oldest) localStorage.removeItem(key);
  }
} catch {
  // No storage, nothing to tidy.
}

widget("[data-draft]", (field) => {
  const key = keyOf(field);
  const show = (kept) => {
    field.value = kept?.text ?? "";
    const companion = companionOf(field);
    if (companion && kept?.with !== undefined) companion.value = kept.with;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const before = read(key);
  if (before?.text && (!field.value || field.hasAttribute("data-draft-wins"))) show(before);
  const keep = () => write(key, field.value, companionOf(field));
  field.addEventListener("input", keep);
  // Another tab sent or changed it: follow, unless somebody is typing here.
  const follow = (event) => {
    if (event.key === key && document.activeElement !== field) show(read(key));
  };
  window.addEventListener("storage", follow);
  return () => window.removeEventListener("storage", follow);
});

const sent = new WeakMap(); // field -> what it held when its form was sent
document.addEventListener(
  "submit",
  (event) => {
    for (const field of event.target.querySelectorAll("[data-draft]")) sent.set(field, field.value);
  },
  true,
);

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const form = ctx.sourceElement;
  if (!(form instanceof HTMLFormElement) || ctx.request.method === "GET" || !ctx.response?.raw?.ok) return;
  for (const field of form.querySelectorAll("[data-draft]")) {
    if (!form.hasAttribute("data-clear-on-success")) {
      write(keyOf(field), "");
      continue;
    }
    // Whoever went on typing meanwhile keeps that.
    const gone = sent.get(field) ?? field.value;
    field.value = field.value.startsWith(gone) ? field.value.slice(gone.length).trimStart() : field.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
});
