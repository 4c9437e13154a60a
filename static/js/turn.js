/**
 * Whose turn it is, for whoever listens: a change of `[data-turn]` (the status in words) is said, once.
 *
 * `[data-after="moment"]` is shown from that moment on, `[data-until="moment"]` up to it; when it comes while somebody looks,
 * it is said as well, once for each status, unless it is `[data-quiet]`.
 */
import { announce } from "./notices.js";
import { now } from "./now.js";
import { widget } from "./widget.js";

const said = new Set();
let known = null;

widget("[data-turn]", (element) => {
  const look = () => {
    if (known !== null && element.dataset.turn !== known) announce(element.dataset.turn);
    known = element.dataset.turn;
  };
  look();
  const observer = new MutationObserver(look);
  observer.observe(element, { attributeFilter: ["data-turn"] });
  return () => observer.disconnect();
});

const waiting = new Set();

function look() {
  for (const element of waiting) {
    const { after, until, quiet } = element.dataset;
    const shown = !(Date.parse(after) > now()) && !(Date.parse(until) <= now());
    if (element.hidden === !shown) continue;
    element.hidden = !shown;
    const key = `${after} ${element.textContent.trim()}`;
    if (!shown || quiet !== undefined || said.has(key)) continue;
    said.add(key);
    announce(element.textContent.trim());
  }
}

widget("[data-after], [data-until]", (element) => {
  waiting.add(element);
  look();
  return () => waiting.delete(element);
});
setInterval(look, 1000);
document.addEventListener("htmx:after:swap", look); // what was pushed was drawn a moment ago
