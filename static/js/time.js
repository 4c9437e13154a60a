/**
 * `<time datetime data-when="relative|clock|date|full|elapsed">`: the reader's language and zone.
 * The server writes UTC, which stays where this module does not run.
 */
import { widget } from "./widget.js";

const root = document.documentElement;
// The page's language, in the reader's own country: "en" as "en-GB" where the browser says so.
const language = navigator.languages.find((one) => one.split("-")[0] === root.lang.split("-")[0]) ?? (root.lang || undefined);
const timeZone = root.dataset.timeZone || undefined;

function format(options) {
  try {
    return new Intl.DateTimeFormat(language, { ...options, timeZone });
  } catch {
    return new Intl.DateTimeFormat(language, options); // a zone this browser has never heard of
  }
}

const formats = {
  clock: format({ hour: "numeric", minute: "2-digit" }),
  clockOfDay: format({ day: "numeric", month: "short", hour: "numeric", minute: "2-digit" }),
  clockOfYear: format({ day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit" }),
  day: format({ year: "numeric", month: "numeric", day: "numeric" }),
  date: format({ dateStyle: "medium" }),
  full: format({ dateStyle: "medium", timeStyle: "short" }),
  exact: format({ dateStyle: "full", timeStyle: "long" }),
};
const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
const number = new Intl.NumberFormat(language, { minimumIntegerDigits: 2, useGrouping: false });
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function relative(moment, seconds) {
  const past = Math.max(0, seconds); // a clock that runs ahead of ours is still "now"
  if (past < 45) return ago.format(0, "second");
  if (past < HOUR) return ago.format(-Math.round(past / MINUTE), "minute");
  if (past < DAY) return ago.format(-Math.round(past / HOUR), "hour");
  if (past < 7 * DAY) return ago.format(-Math.round(past / DAY), "day");
  return formats.date.format(moment);
}

function clock(moment) {
  const now = new Date();
  if (formats.day.format(moment) === formats.day.format(now)) return formats.clock.format(moment);
  return (moment.getFullYear() === now.getFullYear() ? formats.clockOfDay : formats.clockOfYear).format(moment);
}

function elapsed(seconds) {
  const past = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(past / HOUR);
  const minutes = Math.floor(past / MINUTE) % 60;
  const tail = number.format(past % 60);
  return hours ? `${hours}:${number.format(minutes)}:${tail}` : `${minutes}:${tail}`;
}

const all = new Set();

function show(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const seconds = (Date.now() - moment.getTime()) / 1000;
  const style = element.dataset.when;
  let text;
  if (style === "relative") text = relative(moment, seconds);
  else if (style === "elapsed") text = elapsed(seconds);
  else if (style === "clock") text = clock(moment);
  else text = (formats[style] ?? formats.full).format(moment);
  if (element.textContent !== text) element.textContent = text;
  const exact = formats.exact.format(moment);
  if (element.title !== exact) element.title = exact;
}

widget("time[data-when]", (element) => {
  all.add(element);
  show(element);
  return () => all.delete(element);
});

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
