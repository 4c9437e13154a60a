/**
 * `data-opens="id"` opens a `<dialog>`, emptying its `[data-dialog-body]` if htmx brings one; a form with `data-closes` in it
 * closes it when it was accepted. `data-confirm="text"` on a form or button asks first.
 * `data-confirm-title` and `data-confirm-yes` change the heading and the word on the button; with `data-confirm-unsent` (a
 * selector) it is asked only while something stands in one of those fields, with `data-confirm-while` only while the page has
 * such an element.
 */
const box = document.getElementById("confirm");
let asking = null;

/** Asks in the page's own dialog; resolves to true or false. */
function confirmed({ text = "", title = "", yes = "", danger = false } = {}) {
  if (!box) return Promise.resolve(window.confirm(text));
  const heading = box.querySelector("[data-confirm-title]");
  const body = box.querySelector("[data-confirm-text]");
  const button = box.querySelector("[data-confirm-yes]");
  heading.dataset.usual ??= heading.textContent;
  button.dataset.usual ??= button.textContent;
  heading.textContent = title || heading.dataset.usual;
  body.textContent = text;
  button.textContent = yes || button.dataset.usual;
  button.classList.toggle("button-danger-solid", danger);
  button.classList.toggle("button-primary", !danger);
  asking?.(false);
  box.returnValue = "";
  box.showModal();
  return new Promise((resolve) => {
    asking = resolve;
  });
}

box?.addEventListener("close", () => {
  asking?.(box.returnValue === "yes");
  asking = null;
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-opens]");
  if (!opener) return;
  const dialog = document.getElementById(opener.dataset.opens);
  if (!dialog?.showModal) return;
  event.preventDefault();
  opener.closest("details[open]")?.removeAttribute("open");
  dialog.querySelector("[data-dialog-body]")?.replaceChildren(); // of what it showed before
  dialog.showModal();
});

// What it was opened for has the focus, not the way out.
document.addEventListener("htmx:after:swap", ({ detail }) => {
  const opened = detail.ctx?.sourceElement?.dataset?.opens;
  if (opened) document.querySelector(`dialog[open]#${CSS.escape(opened)} [data-dialog-body] textarea`)?.focus();
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (ctx.response?.raw?.ok && ctx.sourceElement.matches("form[data-closes]")) ctx.sourceElement.closest("dialog")?.close();
});

// `closedby="any"` where the browser does not know it yet: a click beside the dialog closes it.
document.addEventListener("click", (event) => {
  const dialog = event.target;
  if (!(dialog instanceof HTMLDialogElement) || dialog.getAttribute("closedby") !== "any") return;
  const edge = dialog.getBoundingClientRect();
  const inside =
    event.clientX >= edge.left &&
    event.clientX <= edge.right &&
    event.clientY >= edge.top &&
    event.clientY <= edge.bottom;
  if (!inside && dialog.open) dialog.close();
});

const agreed = new WeakSet();
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    const asker = event.submitter?.hasAttribute("data-confirm") ? event.submitter : form;
    const { confirm: text, confirmTitle: title, confirmYes: yes, confirmUnsent: fields, confirmWhile: sign } = asker.dataset;
    if (text === undefined || agreed.delete(form)) return;
    if (fields !== undefined && ![...document.querySelectorAll(fields)].some((field) => field.value.trim())) return;
    if (sign !== undefined && !document.querySelector(sign)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    confirmed({ text, title, yes, danger: asker.hasAttribute("data-danger") }).then((answer) => {
      if (!answer) return;
      agreed.add(form);
      form.requestSubmit(event.submitter);
    });
  },
  true,
);

document.addEventListener("htmx:confirm", (event) => {
  event.preventDefault();
  const { ctx, issueRequest, dropRequest } = event.detail;
  confirmed({ text: ctx.confirm }).then((answer) => (answer ? issueRequest() : dropRequest()));
});
