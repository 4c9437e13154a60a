/**
 * One press, one send: the buttons of a POST form are shut while it is on its way and open again when it failed.
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
  for (const button of sending.get(form)) {
    button.removeAttribute("aria-disabled");
    button.removeAttribute("data-sending");
  }
  form.removeAttribute("aria-busy");
  sending.delete(form);
}

document.addEventListener(
  "submit",
  (event) => {
    if (!sending.has(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true, // before htmx sees it
);

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (event.defaultPrevented && !form.hasAttribute("hx-post")) return; // somebody else took it over
  shut(form, event.submitter);
});

// Its own request: a field of the form may ask for something meanwhile.
document.addEventListener("htmx:finally:request", ({ detail }) => {
  if (sending.has(detail.ctx.sourceElement)) open(detail.ctx.sourceElement);
});
// Back from another page: what the browser kept of this one must be usable again.
window.addEventListener("pageshow", () => [...sending.keys()].forEach(open));
