/**
 * Small manners of forms: `form[data-autosubmit]` (filters) sends itself when a choice changes; a form that came
 * back with errors puts the focus on the first wrong field; one sound plays at a time.
 */
import { widget } from "./widget.js";

widget("form[data-autosubmit]", (form) => {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=checkbox], input[type=radio], input[type=date]")) form.requestSubmit();
  });
  // Empty filters stay out of the address.
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
});

function toFirstWrong() {
  document.querySelector("#main [aria-invalid=true]")?.focus();
}
toFirstWrong();
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.response?.status === 422) toFirstWrong();
});

// One sound at a time: whoever compares voices hears one of them.
document.addEventListener(
  "play",
  (event) => {
    for (const other of document.querySelectorAll("audio, [data-video] video")) {
      if (other !== event.target) other.pause();
    }
  },
  true,
);
