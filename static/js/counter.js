/** `data-counter="id of a field" data-limit="10000"`: how much is written; loud when it is too much. */
import { widget } from "./widget.js";

// Made when the first counter needs it: it takes the browser up to twenty milliseconds.
let number;

widget("[data-counter]", (counter) => {
  const field = document.getElementById(counter.dataset.counter);
  const limit = Number(counter.dataset.limit);
  if (!field) return undefined;
  const count = () => {
    number ??= new Intl.NumberFormat(document.documentElement.lang || undefined);
    // Characters as the server counts them: code points, line ends as one.
    const used = [...field.value].length;
    counter.textContent = `${number.format(used)} / ${number.format(limit)}`;
    counter.toggleAttribute("data-over", used > limit);
  };
  field.addEventListener("input", count);
  field.form?.addEventListener("reset", () => setTimeout(count));
  count();
  return undefined;
});
