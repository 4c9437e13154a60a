/** Toasts, and the rule that no failure is silent: every request that goes wrong says so in words. */
import { widget } from "./widget.js";

const SHOWN_SECONDS = 7;
const words = document.getElementById("words")?.dataset ?? {};

/**
 * Shows `text` as a toast. "error" goes to the assertive region and stays until it is dismissed; one that is `passing`,
 * until something works again.
 */
export function toast(text, tone = "info", { passing = false } = {}) {
  const place = document.getElementById(tone === "error" ? "alerts" : "toasts");
  const template = document.getElementById(`toast-${tone === "error" ? "error" : "info"}`);
  if (!place || !template) return;
  for (const old of place.querySelectorAll("[data-text]")) {
    if (old.textContent === text) old.closest("[data-toast]").remove(); // once is enough, but say it again
  }
  const copy = template.content.cloneNode(true);
  copy.querySelector("[data-text]").textContent = text;
  copy.querySelector("[data-toast]").toggleAttribute("data-passing", passing);
  place.append(copy);
}

/** Says `text` to whoever listens rather than looks, `urgent` at once; nothing is seen. */
export function announce(text, { urgent = false } = {}) {
  const place = document.getElementById(urgent ? "alerts" : "notices");
  if (!place) return;
  const line = document.createElement("p");
  line.className = "visually-hidden";
  line.textContent = text;
  place.append(line);
  setTimeout(() => line.remove(), 10_000);
}

widget("[data-toast]", (element) => {
  element.querySelector("[data-dismiss]")?.addEventListener("click", () => element.remove());
  if (element.dataset.tone === "error") return undefined;
  let timer;
  const start = () => {
    timer = setTimeout(() => element.remove(), SHOWN_SECONDS * 1000);
  };
  const pause = () => clearTimeout(timer);
  // Nobody is hurried: a toast that is read or has the focus stays.
  element.addEventListener("pointerenter", pause);
  element.addEventListener("pointerleave", start);
  element.addEventListener("focusin", pause);
  element.addEventListener("focusout", start);
  start();
  return pause;
});

function isStream(event) {
  return event.target instanceof Element && event.target.hasAttribute("hx-sse:connect"); // live.js looks after it
}

/** Why the server refused, as its error page says it; undefined where it gives no reason. */
function reasonIn(html) {
  return new DOMParser().parseFromString(html, "text/html").querySelector("[data-reason]")?.textContent;
}

document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  const status = ctx.response.status;
  if (isStream(event) || ctx.hx?.redirect || status === 422) return;
  if (status === 403) toast(reasonIn(ctx.text) ?? words.forbidden, "error");
  else if (status === 404 || status === 410) toast(words.missing, "error");
  else toast(words.failed?.replace("{status}", status), "error", { passing: true });
});

document.addEventListener("htmx:error", (event) => {
  if (isStream(event) || event.detail.error?.name === "AbortError") return;
  if (event.detail.ctx?.status?.startsWith?.("error")) toast(words.unreachable, "error", { passing: true });
});

// "Try again" is not true any more once it worked.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (!ctx.response?.raw?.ok || ctx.request?.method === "GET") return;
  for (const old of document.querySelectorAll("[data-toast][data-passing]")) old.remove();
});
