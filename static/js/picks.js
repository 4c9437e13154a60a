/**
 * `form[data-picks]`: how many of the boxes that belong to it are ticked, all of a page at once, and no more than it may take
 * (`data-most`). Shift and a click tick everything in between. Without this module the boxes and the button still work.
 */
import { widget } from "./widget.js";

widget("form[data-picks]", (form) => {
  const boxes = () => [...form.elements].filter((element) => element.type === "checkbox" && element.name);
  const most = Number(form.dataset.most);
  const count = form.querySelector("[data-picks-count]");
  const all = form.querySelector("[data-picks-all]");
  const button = form.querySelector("button[type=submit]");
  let last = null;

  function show() {
    const ticked = boxes().filter((box) => box.checked).length;
    const words = ticked === 1 ? count.dataset.one : count.dataset.many;
    count.textContent = ticked ? words.replace("{count}", ticked) : "";
    button.disabled = ticked === 0 || ticked > most;
    form.toggleAttribute("data-some", ticked > 0);
    const box = all.querySelector("input");
    box.checked = ticked > 0 && ticked === boxes().length;
    box.indeterminate = ticked > 0 && !box.checked;
  }

  function onChange(event) {
    if (event.target.form === form && event.target.name) show();
  }

  function onClick(event) {
    const box = event.target;
    if (box.type !== "checkbox" || box.form !== form || !box.name) return;
    const among = boxes();
    if (event.shiftKey && last && among.includes(last)) {
      const [from, to] = [among.indexOf(last), among.indexOf(box)].sort((a, b) => a - b);
      for (const between of among.slice(from, to + 1)) between.checked = box.checked;
      show();
    }
    last = box;
  }

  all.hidden = false;
  all.querySelector("input").addEventListener("change", (event) => {
    for (const box of boxes()) box.checked = event.target.checked;
    show();
  });
  document.addEventListener("change", onChange);
  document.addEventListener("click", onClick);
  show();
  return () => {
    document.removeEventListener("change", onChange);
    document.removeEventListener("click", onClick);
  };
});
