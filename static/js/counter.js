/**
 * `data-counter="id of a field" data-limit="10000"`: how much is written; loud when it is too much. Where nobody knows a
 * limit, `data-word="{count} characters"` says it in words.
 *
 * `data-before="id of a field" data-characters="30"` (with `data-own`): so much of its limit is used by what we put in front
 * of the text, as long as that stands on the page.
 */
import { widget } from "./widget.js";

// Made when the first counter needs it: it takes the browser up to twenty milliseconds.
let number;
const user = document.documentElement.dataset.user;
const counts = new Set();
const countAll = () => counts.forEach((count) => count());

function before(field) {
  let used = 0;
  for (const line of document.querySelectorAll(`[data-before="${CSS.escape(field.id)}"]`)) {
    if ((line.dataset.own ?? user) === user) used += Number(line.dataset.characters);
  }
  return used;
}

widget("[data-before]", () => {
  countAll();
  return countAll;
});

widget("[data-counter]", (counter) => {
  const field = document.getElementById(counter.dataset.counter);
  if (!field) return undefined;
  const count = () => {
    number ??= new Intl.NumberFormat(document.documentElement.lang || undefined);
    // Characters as the server counts them: code points, line ends as one.
    const used = [...field.value].length;
    const limit = Number(counter.dataset.limit) - before(field); // NaN: none
    counter.textContent = limit
      ? `${number.format(used)} / ${number.format(limit)}`
      : counter.dataset.word.replace("{count}", number.format(used));
    counter.toggleAttribute("data-over", used > limit);
  };
  field.addEventListener("input", count);
  count();
  counts.add(count);
  return () => counts.delete(count);
});

// A form that is drawn again brings empty counters, and fields that hold something else.
document.addEventListener("htmx:finally:request", countAll);
