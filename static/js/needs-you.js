/**
 * Asks `body[data-needs-you]` every 30 s how many sessions wait for a person, also while the tab is hidden, and what is
 * wrong with the mirror: a page that stays open must not look fresh when nothing renews it. `[data-as-of]` shows when
 * HeyGen last answered.
 * The page of one session names itself (`data-needs-you-about`): hidden, it has no stream to learn its title from, and no
 * stream says why nothing new comes (`[data-late]`).
 * The answer is {"count": 3, "title": "…" | null, "late": "…" | null, "latest": {"title", "text", "url", "since"} | null,
 * "answered_at": "…" | null, "problems": [{"tone", "message"}]}.
 * A change of the count, or another latest one, is told as the event `needs-you`.
 *
 * `[data-notify]` is a checkbox: notifications of this browser, only when the tab is hidden. `data-word-denied` says why it
 * cannot be switched on.
 */
import { toast } from "./notices.js";
import { setPage, setWaiting } from "./title.js";
import { widget } from "./widget.js";

const SECONDS = 30;
const { needsYou, needsYouAbout } = document.body.dataset;
const address = needsYouAbout ? `${needsYou}?about=${needsYouAbout}` : needsYou;
const SWITCH = "notify";
const texts = document.getElementById("words")?.dataset ?? {};
let known = null; // what the last answer said: {count, since}

function wanted() {
  try {
    return localStorage.getItem(SWITCH) === "on" && Notification.permission === "granted";
  } catch {
    return false;
  }
}

function notify(latest) {
  let note;
  try {
    note = new Notification(latest.title, { body: latest.text, tag: "needs-you" });
  } catch {
    return; // browsers of phones and tablets have it for service workers only; title and favicon still tell
  }
  note.addEventListener("click", () => {
    window.focus();
    location.assign(latest.url);
  });
}

/** Makes the banners say what is wrong now; one that stays is left alone, so that it is not read out again. */
function showProblems(problems) {
  const place = document.getElementById("banners");
  const template = document.getElementById("problem");
  if (!place || !template) return;
  const shown = new Set();
  for (const banner of place.querySelectorAll("[data-problem]")) {
    const text = banner.querySelector("p").textContent;
    if (problems.some(({ message }) => message === text)) shown.add(text);
    else banner.remove();
  }
  for (const { tone, message } of problems) {
    if (shown.has(message)) continue;
    const banner = template.content.firstElementChild.cloneNode(true);
    banner.dataset.tone = tone;
    banner.querySelector("p").textContent = message;
    place.append(banner);
  }
}

/** Says why what is shown of the page's session is old, or that it is not any more. */
function showLate(why) {
  for (const place of document.querySelectorAll("[data-late]")) {
    place.hidden = why === "";
    place.querySelector("[data-late-words]").textContent = why && `${texts.mayBeOld} ${why}`;
  }
}

async function ask() {
  let answer;
  try {
    const response = await fetch(address, {
      headers: { Accept: "application/json" },
      cache: "no-store",
      signal: AbortSignal.timeout(SECONDS * 1000), // what comes after the next answer would take that back
    });
    if (!response.ok) return; // signed out, or the server restarts: the page's own stream says so
    answer = await response.json();
  } catch {
    return;
  }
  // By its moment, not by the count: one may be answered while another begins to wait.
  const since = answer.latest ? Date.parse(answer.latest.since) : 0;
  if (known !== null && since > known.since && document.hidden && wanted()) notify(answer.latest);
  if (known !== null && (answer.count !== known.count || since > known.since)) {
    document.dispatchEvent(new CustomEvent("needs-you"));
  }
  known = { count: answer.count, since: Math.max(since, known?.since ?? 0) };
  setWaiting(answer.count);
  if (answer.title && document.hidden) setPage(answer.title);
  if (answer.answered_at) {
    for (const time of document.querySelectorAll("[data-as-of] time")) time.dateTime = answer.answered_at;
  }
  if (typeof answer.late === "string") showLate(answer.late);
  showProblems(answer.problems ?? []);
}

if (address) {
  setInterval(ask, SECONDS * 1000);
  setTimeout(ask, 1500); // after the page itself is there
}

function showSwitch() {
  for (const box of document.querySelectorAll("[data-notify]")) box.checked = wanted();
}

widget("[data-notify]", (box) => {
  if (!("Notification" in window)) {
    box.disabled = true;
    return;
  }
  showSwitch();
  box.addEventListener("change", async () => {
    const allowed = box.checked && (await Notification.requestPermission()) === "granted";
    if (box.checked && !allowed) toast(box.dataset.wordDenied);
    try {
      localStorage.setItem(SWITCH, allowed ? "on" : "off");
    } catch {
      // It cannot be remembered, so it is not so: wanted() says no.
    }
    showSwitch();
  });
});
