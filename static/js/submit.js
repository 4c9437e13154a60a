/**
 * One press, one send: a form's buttons are shut while it is on its way and open again when it failed.
 * The server's one-time token is what makes it safe; this is what makes it visible.
 */
const sending = new Map(); // form -> the buttons that were shut

function shut(form, submitter) {
  const buttons = [...form.elements].filter((element) => element.type === "submit" && !element.disabled);
  sending.set(form, buttons);
  form.setAttribute("aria-busy", "true");
  submitter?.setAttribute("data-sending", "");
  // aria-disabled, not disabled: the focus stays where it is and the pressed button's name is still sent.
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
}

function open(form) {
  for (const button of sending.get(form) ?? []) {
    button.removeAttribute("aria-disabled");
    button.removeAttribute("data-sending");
  }
  form.removeAttribute("aria-busy");
  sending.delete(form);
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.method === "dialog" || (form.method === "get" && !form.hasAttribute("data-once"))) return;
    if (sending.has(form)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  },
  true, // before htmx sees it
);

document.addEventListener("submit", (event) => {
  const form = event.target;
  const byHtmx = form.matches("[hx-post],[hx-put],[hx-patch],[hx-delete]");
  if (form.method === "dialog" || form.method === "get" || sending.has(form)) return;
  if (event.defaultPrevented && !byHtmx) return; // somebody else took it over
  shut(form, event.submitter);
});

function formOf(event) {
  const source = event.detail?.ctx?.sourceElement;
  return source instanceof HTMLFormElement ? source : source?.closest?.("form");
}
document.addEventListener("htmx:finally:request", (event) => {
  const form = formOf(event);
  if (form) open(form);
});
// Back from another page: what the browser kept of this one must be usable again.
window.addEventListener("pageshow", () => [...sending.keys()].forEach(open));
