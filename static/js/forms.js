/**
 * Small manners of forms: `form[data-autosubmit]` (filters) sends itself when a choice is made, and so does a form whose
 * `select[data-presses="id of a button"]` presses that button; a form that came back with errors puts the focus on the first
 * wrong field; one sound plays at a time.
 */
import { widget } from "./widget.js";

const AGAIN = "autosubmit:focus";
const KEYED_PAUSE = 800; // keys go through a list one by one: each on its way is no choice yet

/** Calls `send` when a choice in `element` is made; what it returns ends that. */
function whenChosen(element, send) {
  let keyed = false;
  let timer;
  element.addEventListener("keydown", () => {
    keyed = true;
  });
  element.addEventListener("pointerdown", () => {
    keyed = false;
  });
  element.addEventListener("change", ({ target }) => {
    if (!target.matches("select, input[type=checkbox], input[type=radio], input[type=date]")) return;
    clearTimeout(timer);
    if (!keyed || target.matches("[type=checkbox], [type=radio]")) send();
    else if (target.matches("select")) timer = setTimeout(send, KEYED_PAUSE);
    else target.addEventListener("focusout", send, { once: true }); // a date is typed digit by digit; Enter sends it, too
  });
  return () => clearTimeout(timer);
}

widget("form[data-autosubmit]", (form) => {
  // Empty filters stay out of the address.
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
  return whenChosen(form, () => {
    try {
      sessionStorage.setItem(AGAIN, JSON.stringify([location.pathname, document.activeElement?.form === form ? document.activeElement.name : ""]));
    } catch {
      // No storage: the next page begins at its top.
    }
    form.requestSubmit();
  });
});

widget("select[data-presses]", (select) =>
  whenChosen(select, () => select.form.requestSubmit(document.getElementById(select.dataset.presses))),
);

/** Whoever chose by keyboard goes on from there on the page that their choice brought. */
function toWhereItWasChosen() {
  let kept;
  try {
    kept = JSON.parse(sessionStorage.getItem(AGAIN) ?? "null");
    sessionStorage.removeItem(AGAIN);
  } catch {
    return;
  }
  if (kept?.[0] !== location.pathname || !kept[1] || document.activeElement !== document.body) return;
  document.querySelector(`form[data-autosubmit] [name="${CSS.escape(kept[1])}"]`)?.focus({ preventScroll: true });
}
toWhereItWasChosen();

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
