/**
 * `[data-uploads]`: files by choosing, dropping or pasting, each sent at once with its progress.
 *
 * `data-url` takes one file as multipart field "file" and answers {"id": "…"} or, refused, {"error": "…"}; with status
 * 429 and {"again_in": seconds} it is asked once more by itself: many files at once are more than the limits let through. Where the
 * server keeps the files with the form, it answers {"remove": "…"} as well: where to post that one is not wanted any more.
 *
 * Rules and words stand at the template of a row: `data-name` is the field that carries the ids when the form is sent;
 * `data-limit` how many files, together with the addresses that stand in the field with the id `data-with` (of the box), one
 * on a line (`[data-upload-many]` says when these are too many); `data-max-bytes` and `data-types` (as in `accept`) are
 * checked before anything is sent. Words are in `data-word-*`.
 *
 * Dropped they are on `[data-drop]`, or anywhere on the form; beside it a file is not opened in place of the page.
 * Whoever leaves while a file is on its way is asked first; after a reload its name is there, as one that was not kept.
 * Without this module the file input sends the files with the form.
 */
import { announce } from "./notices.js";
import { widget } from "./widget.js";

const LONGEST_WAIT = 30; // seconds
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];
const language = document.documentElement.lang || undefined;
const user = document.documentElement.dataset.user ?? "nobody";

function size(bytes) {
  const step = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1000)), UNITS.length - 1);
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: UNITS[step],
    maximumFractionDigits: step > 1 ? 1 : 0,
  }).format(bytes / 1000 ** step);
}

function fits(file, types) {
  const name = file.name.toLowerCase();
  return types.some((type) => (type.startsWith(".") ? name.endsWith(type) : file.type === type));
}

function carriesFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

/** Whether these are words that came with a picture of themselves, as office programs copy them. */
function isOfficeText(clipboard) {
  return ["text/plain", "text/html"].every((type) => clipboard.types.includes(type));
}

widget("[data-uploads]", (box) => {
  const { url } = box.dataset;
  const rowTemplate = box.querySelector("template");
  const { name, ...words } = rowTemplate.dataset;
  const limit = Number(words.limit);
  const maxBytes = Number(words.maxBytes);
  const types = words.types.split(",");
  const input = box.querySelector("input[type=file]");
  const list = box.querySelector("[data-upload-list]");
  const form = box.closest("form");
  const drop = box.querySelector("[data-drop]") ?? form;
  const busy = box.querySelector("[data-upload-busy]");
  const files = new WeakMap(); // row -> its file, while that is only here
  const requests = new WeakMap(); // row -> what brings its file to the server
  const running = new Map(); // request -> the name of its file
  const ends = new Set(); // what must not happen any more when the form is gone
  let sent = new Set(); // the ids that are on their way with the form
  let held = null; // the press that waits for the files on their way

  // What is on its way dies with the page, also when the browser crashes: this tab knows the names.
  const lost = `uploads:${user}:${url}`;

  function remember(names = [...running.values()]) {
    try {
      if (names.length > 0) sessionStorage.setItem(lost, JSON.stringify(names));
      else sessionStorage.removeItem(lost);
    } catch {
      // No storage: nobody is told.
    }
  }

  function remembered() {
    try {
      return JSON.parse(sessionStorage.getItem(lost) ?? "[]");
    } catch {
      return [];
    }
  }

  function arrived(request) {
    running.delete(request);
    remember();
    if (running.size > 0) return;
    busy.hidden = true;
    const press = held;
    held = null;
    // A file that failed is for the person to try again or to leave out; the press is theirs again, too.
    if (press && !list.querySelector(":scope > [data-state=failed]")) {
      form.requestSubmit(press.button?.isConnected ? press.button : null);
    }
  }

  const here = () => list.querySelectorAll("li:not([data-state=failed])").length;
  const named = () => {
    const lines = document.getElementById(box.dataset.with)?.value.split("\n").map((line) => line.trim()) ?? [];
    return new Set(lines.filter(Boolean)).size;
  };

  function weigh() {
    const many = box.querySelector("[data-upload-many]");
    if (!many) return;
    const text = many.dataset.uploadMany.replace("{count}", String(here() + named()));
    const tooMany = here() + named() > limit;
    if (tooMany && many.hidden) announce(text, { urgent: true });
    many.hidden = !tooMany;
    many.querySelector("[data-upload-many-words]").textContent = text;
  }

  /** Says that the form's files are others now: a draft of it is to be saved. */
  function changed() {
    list.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function remove(row) {
    if (row.dataset.removeUrl) {
      // Where it does not arrive the file is there again after a reload: better than one that is missing.
      const body = new URLSearchParams({ csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
      fetch(row.dataset.removeUrl, { method: "POST", body, keepalive: true }).catch(() => {});
    }
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (next?.querySelector("[data-upload-remove]") ?? input).focus();
    changed();
    requests.get(row)?.abort();
  }

  /** `again`: it may go well another time. */
  function fail(row, message, { again = false } = {}) {
    row.dataset.state = "failed";
    row.querySelector("progress").hidden = true;
    row.querySelector("[data-upload-note]").textContent = message;
    row.querySelector("[data-upload-retry]").hidden = !again;
  }

  function send(row) {
    const file = files.get(row);
    const bar = row.querySelector("progress");
    const note = row.querySelector("[data-upload-note]");
    const request = new XMLHttpRequest(); // fetch has no progress of what is sent
    row.dataset.state = "sending";
    row.querySelector("[data-upload-retry]").hidden = true;
    bar.hidden = false;
    bar.value = 0;
    note.textContent = size(file.size);
    requests.set(row, request);
    running.set(request, file.name);
    remember();
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    request.addEventListener("loadend", () => {
      const answer = request.response;
      if (row.isConnected && request.status === 429 && answer?.again_in <= LONGEST_WAIT) {
        bar.removeAttribute("value");
        const again = setTimeout(() => {
          running.delete(request);
          if (row.isConnected) send(row);
          else arrived(request);
        }, answer.again_in * 1000 + Math.random() * 500); // not all of them in the same moment
        ends.add(() => clearTimeout(again));
        return;
      }
      if (!row.isConnected) {
        // taken back meanwhile
      } else if (request.status >= 200 && request.status < 300 && answer?.id) {
        row.dataset.state = "done";
        bar.hidden = true;
        const field = document.createElement("input");
        field.type = "hidden";
        field.name = name;
        field.value = answer.id;
        row.append(field);
        if (answer.remove) row.dataset.removeUrl = answer.remove;
        changed();
      } else {
        fail(row, answer?.error ?? words.wordFailed, { again: true });
      }
      arrived(request);
    });
    request.open("POST", url);
    request.responseType = "json";
    request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
    const body = new FormData();
    body.append("file", file);
    request.send(body);
  }

  function newRow(name) {
    const row = rowTemplate.content.firstElementChild.cloneNode(true);
    row.querySelector("[data-upload-name]").textContent = name;
    list.append(row);
    return row;
  }

  function add(file) {
    const row = newRow(file.name);
    if (here() + named() > limit) fail(row, words.wordMany.replace("{limit}", String(limit)));
    else if (file.size > maxBytes) fail(row, words.wordLarge.replace("{size}", size(maxBytes)));
    else if (file.size === 0) fail(row, words.wordEmpty);
    else if (!fits(file, types)) fail(row, words.wordType);
    else {
      files.set(row, file);
      send(row);
    }
  }

  const addAll = (files) => [...files].forEach(add);

  input.removeAttribute("name"); // sent one by one, not with the form
  input.addEventListener("change", () => {
    addAll(input.files);
    input.value = "";
  });
  drop.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    drop.toggleAttribute("data-over", true);
  });
  const beside = (event) => {
    if (!carriesFiles(event) || event.defaultPrevented) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  };
  document.addEventListener("dragover", beside);
  drop.addEventListener("dragleave", (event) => {
    if (!drop.contains(event.relatedTarget)) drop.removeAttribute("data-over");
  });
  drop.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    drop.removeAttribute("data-over");
    addAll(event.dataTransfer.files);
  });
  const paste = (event) => {
    const files = event.clipboardData?.files ?? [];
    if (files.length === 0 || isOfficeText(event.clipboardData) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    addAll(files);
  };
  document.addEventListener("paste", paste);
  list.addEventListener("click", ({ target }) => {
    const row = target.closest("li");
    if (target.closest("[data-upload-remove]")) remove(row);
    else if (target.closest("[data-upload-retry]")) send(row);
  });
  // A file that failed is only here: it outlives a form that is drawn again.
  let failed = [];
  const before = (event) => {
    if (event.detail.ctx?.sourceElement !== form) return;
    failed = [...list.querySelectorAll(":scope > [data-state=failed]")];
    for (const row of failed) row.remove();
  };
  const after = () => list.append(...failed.splice(0));
  document.addEventListener("htmx:before:swap", before);
  document.addEventListener("htmx:after:swap", after);
  // What was sent goes; what was attached while it was on its way stays for the next message.
  const accepted = (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement !== form || !form.hasAttribute("data-clear-on-success") || !ctx.response?.raw?.ok) return;
    for (const field of list.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (sent.has(field.value)) field.closest("li").remove();
    }
  };
  document.addEventListener("htmx:after:request", accepted);
  form.addEventListener("input", weigh);
  document.addEventListener("htmx:after:swap", weigh);
  weigh();
  // What is half sent would be missing: the form waits.
  const wait = (event) => {
    if (event.target !== form) return;
    if (running.size === 0) {
      sent = new Set(new FormData(form).getAll(name));
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    box.scrollIntoView({ block: "center" });
    busy.hidden = false;
    held = { button: event.submitter };
  };
  document.addEventListener("submit", wait, true);
  let underway = null;
  const leave = (event) => {
    underway = [...running.values()];
    if (underway.length > 0) event.preventDefault(); // the browser asks, in its own words
  };
  // A browser may end the uploads, with their events, before the page itself, and one of a phone does not ask before.
  const left = () => remember(underway ?? [...running.values()]);
  window.addEventListener("beforeunload", leave);
  window.addEventListener("pagehide", left);
  for (const gone of remembered()) fail(newRow(gone), words.wordLost);
  remember();
  return () => {
    document.removeEventListener("dragover", beside);
    window.removeEventListener("beforeunload", leave);
    window.removeEventListener("pagehide", left);
    document.removeEventListener("paste", paste);
    document.removeEventListener("htmx:before:swap", before);
    document.removeEventListener("htmx:after:swap", after);
    document.removeEventListener("htmx:after:request", accepted);
    form.removeEventListener("input", weigh);
    document.removeEventListener("htmx:after:swap", weigh);
    document.removeEventListener("submit", wait, true);
    held = null;
    for (const end of ends) end();
    for (const request of running.keys()) request.abort();
  };
});
