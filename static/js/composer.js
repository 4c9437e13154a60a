/**
 * `form[data-composer]`: Ctrl/Cmd+Enter sends (Enter alone where `data-enter-sends`); buttons `data-fill="text"`
 * write an answer into the field.
 *
 * Beside a `[data-closed]` nothing can be sent just now: what is typed waits.
 *
 * `[data-seen]` in the form tells the server what its writer knew of what others said: everything until the first
 * letter. While the field is empty it follows `[data-mark]`, which the stream keeps current.
 */
import { announce } from "./notices.js";
import { widget } from "./widget.js";

widget("form[data-composer]", (form) => {
  const field = form.querySelector("textarea");
  if (!field) return undefined;
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    const wanted = event.ctrlKey || event.metaKey || (form.hasAttribute("data-enter-sends") && !event.shiftKey);
    if (!wanted || event.repeat) return;
    event.preventDefault();
    if (field.value.trim() && !form.parentElement.querySelector("[data-closed]")) form.requestSubmit();
  });

  const marked = document.querySelector("[data-mark]");
  if (!marked) return undefined;
  const follow = () => {
    const seen = form.querySelector("[data-seen]");
    if (seen && !field.value.trim()) seen.value = marked.dataset.mark;
  };
  field.addEventListener("input", () => {
    follow();
    if (!field.value) form.querySelector(".meanwhile")?.remove(); // it was about words that are there no more
  });
  const observer = new MutationObserver(follow);
  observer.observe(marked, { attributeFilter: ["data-mark"] });
  return () => observer.disconnect();
});

// What became of a press is said to whoever listens, and the word is given back to whoever typed.
widget("[data-say]", (element) => {
  announce(element.dataset.say, { urgent: true });
  const field = document.querySelector("form[data-composer] textarea");
  if (field?.value) field.dispatchEvent(new Event("input", { bubbles: true })); // the draft keeps the newer mark
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-fill]");
  if (!button) return;
  const form = document.querySelector("form[data-composer]");
  const field = form?.querySelector("textarea");
  if (!field) return;
  event.preventDefault();
  field.value = field.value.trim() ? `${field.value.trimEnd()}\n${button.dataset.fill}` : button.dataset.fill;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
