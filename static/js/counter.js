/**
 * `data-counter="id of a field" data-limit="10000"`: how much is written; loud when it is too much. Where nobody knows a
 * limit, `data-word="{count} characters"` says it in words.
 */
import { widget } from "./widget.js";

// Made when the first counter needs it: it takes the browser up to twenty milliseconds.
let number;

widget("[data-counter]", (counter) => {
  const field = document.getElementById(counter.dataset.counter);
  const limit = Number(counter.dataset.limit); // NaN: none
  if (!field) return undefined;
  const count = () => {
    number ??= new Intl.NumberFormat(document.documentElement.lang || undefined);
    // Characters as the server counts them: code points, line ends as one.
    const used = [...field.value].length;
    counter.textContent = limit
      ? `${number.format(used)} / ${number.format(limit)}`
      : counter.dataset.word.replace("{count}", number.format(used));
    counter.toggleAttribute("data-over", used > limit);
  };
  field.addEventListener("input", count);
  field.form?.addEventListener("reset", () => setTimeout(count));
  count();
  return undefined;
});
