/**
 * `form[data-composer]`: Ctrl/Cmd+Enter sends (Enter alone where `data-enter-sends`); buttons `data-fill="text"`
 * write an answer into the field, `data-send="text"` write and send it.
 */
import { widget } from "./widget.js";

widget("form[data-composer]", (form) => {
  const field = form.querySelector("textarea");
  if (!field) return;
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    const wanted = event.ctrlKey || event.metaKey || (form.hasAttribute("data-enter-sends") && !event.shiftKey);
    if (!wanted || event.repeat) return;
    event.preventDefault();
    if (field.value.trim()) form.requestSubmit();
  });
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-fill], [data-send]");
  if (!button) return;
  const form = document.querySelector("form[data-composer]");
  const field = form?.querySelector("textarea");
  if (!field) return;
  const text = button.dataset.fill ?? button.dataset.send;
  const sends = button.hasAttribute("data-send");
  if (sends && field.value.trim() && field.value !== text) return; // what was typed is never overwritten by a send
  event.preventDefault();
  field.value = field.value.trim() && !sends ? `${field.value.trimEnd()}\n${text}` : text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  if (sends) form.requestSubmit();
  else field.focus();
});
