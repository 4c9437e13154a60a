/**
 * `form[data-draft-form]`: what is typed and chosen is saved at the server, a moment after the last change, so that it
 * is there after a reload, a sign-out and in another browser. `data-draft-url` takes the form's fields and answers with
 * the fragments of the page that say so (200), or that another window saved something else meanwhile (409).
 *
 * This browser keeps it too (localStorage), and gives back at the next visit what the server did not have. Saving goes on
 * by itself when the connection is back.
 *
 * What is kept says on which version of the draft it was written (`base`), by which window (`by`, the form's token) and
 * whether the server had it (`done`). A page goes on with it where it shows that version, or one that the same window saved;
 * any other version came after it: then what the server had is out of date, and about the rest the person decides.
 */
import { widget } from "./widget.js";

const user = document.documentElement.dataset.user ?? "nobody";
const PAUSE = 800;
const RETRY = [5_000, 15_000, 60_000];
// What is not the person's own, or not worth keeping.
const NOT_KEPT = new Set(["csrfmiddlewaretoken", "token", "was", "workspace", "like", "base", "do", "attachments"]);

widget("form[data-draft-form]", (form) => {
  const state = () => form.querySelector("#draft-state");
  const key = () => `draft-form:${user}:${form.elements.was.value}:${form.elements.like?.value ?? ""}`;
  let timer;
  let running = null;
  let failures = 0;
  let undecided = false; // another window saved something else; the person says which counts
  let started = false; // what stands here has become a session
  // The version that stood here when the next page was asked for: that one may have been drawn before a save of this one
  // arrived. What is kept from then on is kept until the next page has looked at it.
  let left = null;

  // Searches and filters of the pickers have a dash in their names.
  const fields = () =>
    [...new FormData(form)].filter(([name, value]) => !NOT_KEPT.has(name) && !name.includes("-") && value !== "");
  const snapshot = () => JSON.stringify(fields());
  let saved = snapshot();

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(key()) ?? "null");
    } catch {
      return null;
    }
  }

  // `done`: the server has it. Whatever a later version says counts more.
  function keep(done = false) {
    try {
      const known = { base: left ?? form.elements.base.value, by: form.elements.token.value, done };
      localStorage.setItem(key(), JSON.stringify({ fields: fields(), ...known }));
    } catch {
      // A full or forbidden storage: then only the server keeps it.
    }
  }

  function forget() {
    try {
      localStorage.removeItem(key());
    } catch {
      // Nothing was kept either.
    }
  }

  function say(text, trouble = false) {
    const word = state()?.querySelector("[data-draft-word]");
    if (word) word.textContent = text;
    word?.closest("p").querySelector("time")?.remove();
    state()?.toggleAttribute("data-trouble", trouble);
  }

  function show(html) {
    const answer = new DOMParser().parseFromString(html, "text/html");
    for (const fresh of answer.body.querySelectorAll(":scope > [id]")) {
      const old = document.getElementById(fresh.id);
      if (!old) continue;
      const focused = old.contains(document.activeElement);
      old.replaceWith(document.adoptNode(fresh));
      if (focused) fresh.querySelector("button")?.focus();
    }
  }

  function body(over) {
    const data = new FormData(form);
    data.delete("attachments");
    data.set("workspace", form.elements.was.value);
    if (over) data.set("over", "1");
    return data;
  }

  async function save({ over = false } = {}) {
    clearTimeout(timer);
    if (started || (undecided && !over)) return;
    if (running) return void later(PAUSE);
    const sent = snapshot();
    if (sent === saved && !over) return;
    const attempt = new AbortController();
    running = attempt;
    say(form.dataset.wordSaving);
    try {
      const headers = { "HX-Request": "true" };
      const answer = await fetch(form.dataset.draftUrl, { method: "POST", body: body(over), headers, signal: attempt.signal });
      if (answer.ok || answer.status === 409) {
        undecided = answer.status === 409;
        show(await answer.text());
        failures = 0;
        if (answer.ok) {
          saved = sent;
          if (snapshot() === sent && left === null) forget();
          else if (snapshot() === sent) keep(true);
        }
      } else {
        fail(answer.status === 403);
      }
    } catch (error) {
      if (error.name !== "AbortError") fail(false);
    } finally {
      running = null;
    }
    if (!undecided && failures === 0 && !attempt.signal.aborted && snapshot() !== saved) later(PAUSE);
  }

  function fail(signedOut) {
    failures += 1;
    keep();
    say(signedOut ? form.dataset.wordSignedOut : form.dataset.wordKept, true);
    later(RETRY[Math.min(failures, RETRY.length) - 1]);
  }

  function later(pause) {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
  }

  function changed(event) {
    const name = event.target.name ?? "";
    if (name.includes("-") || NOT_KEPT.has(name)) return;
    if (started || snapshot() === saved) return;
    keep();
    later(failures ? RETRY[0] : PAUSE);
  }

  // --- Giving back what was never saved ---

  function restore(entries) {
    const names = new Map();
    for (const [name, value] of entries) names.set(name, [...(names.get(name) ?? []), value]);
    for (const field of form.elements) {
      if (!field.name || NOT_KEPT.has(field.name) || field.name.includes("-") || field.type === "file") continue;
      const values = names.get(field.name) ?? [];
      if (field.type === "radio" || field.type === "checkbox") {
        field.checked = values.includes(field.value) || (field.type === "radio" && field.value === "" && values.length === 0);
      } else if (field.tagName === "TEXTAREA") field.value = values[0] ?? "";
    }
    // Choices and files that are not drawn: the server draws them as soon as it has their ids.
    for (const [name, values] of names) {
      for (const value of values) {
        const there = [...form.elements].some((field) => field.name === name && field.value === value);
        if (there) continue;
        const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
        for (const radio of form.querySelectorAll(`input[type=radio][name="${CSS.escape(name)}"]`)) radio.checked = false;
        form.append(field);
      }
    }
    const press = () => form.querySelector("button[value=save]").click(); // saves and draws it
    if (document.readyState === "complete") press();
    else window.addEventListener("load", press, { once: true }); // htmx has to be there
  }

  const local = kept();
  const overtaken = local?.done && local.base !== form.elements.base.value;
  if (local && !overtaken && JSON.stringify(local.fields) !== saved) {
    // What is stored may be this window's own, whose answer never came.
    const own = local.by && local.by === form.dataset.draftBy;
    if (own || local.base === form.elements.base.value) restore(local.fields);
    else {
      const banner = document.querySelector("template[data-draft-conflict]").content.cloneNode(true);
      form.querySelector(".stack").prepend(banner);
      undecided = true;
    }
  } else forget();

  form.addEventListener("click", (event) => {
    const mine = event.target.closest("[data-draft-mine]");
    const theirs = event.target.closest("[data-draft-theirs]");
    if (!mine && !theirs) return;
    const found = event.target.closest("[data-draft-found]");
    undecided = false;
    if (found) {
      found.remove();
      if (mine) restore(local.fields);
      else forget();
    } else if (mine) save({ over: true });
    else {
      forget();
      window.location.reload();
    }
  });

  // --- While the form itself is on its way ---

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  const stop = (event) => {
    if (event.target !== form) return; // htmx has it by now: what others held back does not come here
    clearTimeout(timer);
    running?.abort();
    sentTexts = new Map(texts());
    posted = snapshot();
    if (posted !== saved) keep();
  };
  const arrived = (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement !== form) return;
    const status = ctx.response?.raw?.status ?? 0;
    started = status >= 200 && status < 300 && Boolean(ctx.hx?.redirect);
    if ((status >= 200 && status < 300) || status === 422) forget(); // the server has it
    else if (snapshot() !== saved) fail(status === 403);
  };
  // A form that is drawn again shows what was sent; what was typed meanwhile stays.
  let sentTexts = new Map();
  let posted = saved;
  let typed = [];
  const texts = () => [...form.querySelectorAll("textarea")].map((field) => [field.name, field.value]);
  const before = (event) => {
    if (event.detail.ctx?.sourceElement === form) typed = texts().filter(([name, value]) => sentTexts.get(name) !== value);
  };
  const drawn = (event) => {
    if (event.detail.ctx?.sourceElement !== form) return;
    // Morphing changes the attributes, and a radio button that was touched does not follow them any more.
    for (const box of form.querySelectorAll("[type=radio], [type=checkbox]")) box.checked = box.defaultChecked;
    for (const [name, value] of typed.splice(0)) {
      if (form.elements[name].value !== value) form.elements[name].value = value; // else the caret would jump
    }
    saved = posted;
    if (snapshot() === saved) return;
    keep();
    later(PAUSE);
  };
  const online = () => {
    failures = 0;
    save();
  };
  const asked = () => {
    left = form.elements.base.value;
  };
  const stayed = (event) => {
    if (event.persisted) left = null; // back again: the browser had kept the page
  };
  const leave = () => {
    if (started || undecided || snapshot() === saved || form.hasAttribute("aria-busy")) return;
    keep();
    fetch(form.dataset.draftUrl, { method: "POST", body: body(false), keepalive: true }).catch(() => {});
  };
  document.addEventListener("submit", stop);
  document.addEventListener("htmx:after:request", arrived);
  document.addEventListener("htmx:before:swap", before);
  document.addEventListener("htmx:after:swap", drawn);
  window.addEventListener("online", online);
  window.addEventListener("beforeunload", asked);
  window.addEventListener("pageshow", stayed);
  window.addEventListener("pagehide", leave);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("submit", stop);
    document.removeEventListener("htmx:after:request", arrived);
    document.removeEventListener("htmx:before:swap", before);
    document.removeEventListener("htmx:after:swap", drawn);
    window.removeEventListener("online", online);
    window.removeEventListener("beforeunload", asked);
    window.removeEventListener("pageshow", stayed);
    window.removeEventListener("pagehide", leave);
  };
});
