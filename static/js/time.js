/**
 * `<time datetime data-when="relative|clock|date|full|elapsed">`: the reader's language and zone.
 * The server writes UTC, which stays where this module does not run; what is relative it writes as we would, by its own
 * clock, so that can wait until the browser has nothing better to do.
 */
import { now } from "./now.js";
import { widget } from "./widget.js";

const root = document.documentElement;
// The page's language, in the reader's own country: "en" as "en-GB" where the browser says so.
const language = navigator.languages.find((one) => one.split("-")[0] === root.lang.split("-")[0]) ?? (root.lang || undefined);
const timeZone = root.dataset.timeZone || undefined;

const STYLES = {
  clock: { hour: "numeric", minute: "2-digit" },
  clockOfDay: { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" },
  clockOfYear: { day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit" },
  day: { year: "numeric", month: "numeric", day: "numeric" },
  date: { dateStyle: "medium" },
  full: { dateStyle: "medium", timeStyle: "short" },
  exact: { dateStyle: "full", timeStyle: "long" },
};
// A formatter takes the browser up to twenty milliseconds to make, and a page needs one or two of them.
const made = new Map();

function once(name, make) {
  if (!made.has(name)) made.set(name, make());
  return made.get(name);
}

function formatted(style, moment) {
  return once(style, () => formatter(STYLES[style])).format(moment);
}

function ago(count, unit) {
  return once("ago", () => new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" })).format(-count, unit);
}

function twoDigits(count) {
  return once("two digits", () => new Intl.NumberFormat(language, { minimumIntegerDigits: 2 })).format(count);
}

function formatter(options) {
  try {
    return new Intl.DateTimeFormat(language, { ...options, timeZone });
  } catch {
    return new Intl.DateTimeFormat(language, options); // a zone this browser has never heard of
  }
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function relative(moment, seconds) {
  const past = Math.max(0, seconds);
  if (past < 45) return ago(0, "second");
  if (past < HOUR) return ago(Math.round(past / MINUTE), "minute");
  if (past < DAY) return ago(Math.round(past / HOUR), "hour");
  if (past < 7 * DAY) return ago(Math.round(past / DAY), "day");
  return formatted("date", moment);
}

function clock(moment) {
  const today = new Date(now());
  const recent = Math.abs(today - moment) < DAY * 1000;
  if (recent && formatted("day", moment) === formatted("day", today)) return formatted("clock", moment);
  return formatted(moment.getFullYear() === today.getFullYear() ? "clockOfDay" : "clockOfYear", moment);
}

function elapsed(seconds) {
  const past = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(past / HOUR);
  const minutes = Math.floor(past / MINUTE) % 60;
  const tail = twoDigits(past % 60);
  return hours ? `${hours}:${twoDigits(minutes)}:${tail}` : `${minutes}:${tail}`;
}

const all = new Set();

function show(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const seconds = (now() - moment.getTime()) / 1000;
  const style = element.dataset.when;
  let text;
  if (style === "relative") text = relative(moment, seconds);
  else if (style === "elapsed") text = elapsed(seconds);
  else if (style === "clock") text = clock(moment);
  else text = formatted(style in STYLES ? style : "full", moment);
  if (element.textContent !== text) element.textContent = text;
}

// In a task of their own before the next picture: the page's modules are one task already.
const waiting = new Set();

function showWaiting() {
  waiting.forEach(show);
  waiting.clear();
}

widget("time[data-when]", (element) => {
  all.add(element);
  const written = element.dataset.when === "relative" && now() - new Date(element.dateTime) < 7 * DAY * 1000;
  if (!written) {
    if (!waiting.size) requestAnimationFrame(showWaiting);
    waiting.add(element);
  }
  return () => {
    all.delete(element);
    waiting.delete(element);
  };
});

// The exact time, for whoever points at one. Written for each of a page's hundred times it would hold the page up.
document.addEventListener("pointerover", ({ target }) => {
  const element = target.closest?.("time[data-when]");
  const moment = element && new Date(element.dateTime);
  if (moment && !Number.isNaN(moment.getTime())) element.title = formatted("exact", moment);
});

(window.requestIdleCallback ?? setTimeout)(() => all.forEach(show));

let tick = 0;
setInterval(() => {
  if (document.hidden) return;
  tick += 1;
  for (const element of all) {
    const style = element.dataset.when;
    if (style === "elapsed" || (style === "relative" && tick % 20 === 0)) show(element);
  }
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) all.forEach(show);
});
// A morph brought back the server's words to an element that stayed.
document.addEventListener("htmx:after:swap", () => all.forEach(show));
