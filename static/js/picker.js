/**
 * `[data-picker]`: a list of choices as native radio buttons. The summary says what is picked, `[data-picker-look]` shows
 * the picked one closer: picture, film or sound, and whether the team likes it. `[data-sound]` plays a voice at once.
 *
 * Keys: in the search, Down goes to the choices; on a choice the arrows choose (the browser's own), Enter closes the
 * list, P plays the preview, F makes it a team favourite or no longer; Escape closes from everywhere.
 */
import { toast } from "./notices.js";
import { widget } from "./widget.js";

const words = document.getElementById("words")?.dataset ?? {};

function element(name, attributes) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}

function media(choice, label) {
  const { picture, film, sound } = choice.dataset;
  const parts = [];
  const controls = { controls: "", preload: "none", "aria-label": label };
  if (film) parts.push(element("video", { ...controls, playsinline: "", src: film, ...(picture && { poster: picture }) }));
  else if (picture) parts.push(element("img", { src: picture, alt: "" }));
  if (sound) parts.push(element("audio", { ...controls, src: sound }));
  return parts;
}

widget("[data-picker]", (picker) => {
  const part = (name) => picker.querySelector(`[data-${name}]`);
  const picked = () => picker.querySelector("input[type=radio]:checked");

  function show(choice) {
    const value = part("picker-value");
    value.textContent = choice.value ? (choice.dataset.name ?? choice.value) : value.dataset.none;
    part("picker-look").hidden = !choice.dataset.pk;
    if (!choice.dataset.pk) return;
    const name = part("look-name");
    name.textContent = choice.dataset.name;
    part("look-detail").textContent = choice.dataset.detail;
    part("look-media").replaceChildren(...media(choice, name.dataset.preview.replace("{name}", choice.dataset.name)));
    part("look-favourite").setAttribute("aria-pressed", String(choice.closest(".pick").hasAttribute("data-favourite")));
  }

  async function favour() {
    const choice = picked();
    if (!choice?.dataset.pk) return;
    const card = choice.closest(".pick");
    const wanted = !card.hasAttribute("data-favourite");
    const body = new URLSearchParams({
      favourite: wanted ? "1" : "0",
      csrfmiddlewaretoken: choice.form.elements.csrfmiddlewaretoken.value,
    });
    let answer;
    try {
      answer = await fetch(choice.dataset.favouriteUrl, { method: "POST", body, headers: { "HX-Request": "true" } });
    } catch {
      toast(words.unreachable, "error");
      return;
    }
    if (!answer.ok) {
      toast(words.failed.replace("{status}", answer.status), "error");
      return;
    }
    // The list may have been drawn anew meanwhile.
    for (const each of picker.querySelectorAll("input[type=radio]")) {
      if (each.value === choice.value) each.closest(".pick").toggleAttribute("data-favourite", wanted);
    }
    if (picked()?.value === choice.value) part("look-favourite").setAttribute("aria-pressed", String(wanted));
  }

  // Found choices replace the list: what is picked stays picked, whatever was asked for, and keeps the focus.
  let kept = null;
  const before = (event) => {
    if (!picker.contains(event.detail.ctx?.sourceElement)) return;
    const choice = picked();
    kept = choice && { card: choice.closest(".pick"), value: choice.value, focused: document.activeElement === choice };
  };
  const after = (event) => {
    if (!kept || !picker.contains(event.detail.ctx?.sourceElement)) return;
    const { card, value, focused } = kept;
    kept = null;
    const list = picker.querySelector("[role=radiogroup]");
    let choice = [...list.querySelectorAll("input[type=radio]")].find((each) => each.value === value);
    if (!choice) {
      list.prepend(card);
      choice = card.querySelector("input[type=radio]");
    }
    choice.checked = true;
    if (focused) choice.focus();
  };
  document.addEventListener("htmx:before:swap", before);
  document.addEventListener("htmx:after:swap", after);

  function play() {
    const player = part("look-media").querySelector("video, audio");
    if (player?.paused) player.play().catch(() => {});
    else player?.pause();
  }

  function close() {
    picker.open = false;
    picker.querySelector("summary").focus();
  }

  picker.addEventListener("change", (event) => {
    if (event.target.type === "radio") show(event.target);
  });
  picker.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-look-favourite]")) return;
    event.preventDefault();
    favour();
  });
  picker.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const onChoice = target.matches("input[type=radio]");
    const plain = !(event.ctrlKey || event.metaKey || event.altKey);
    let handled = true;
    if (key === "Enter" && onChoice) close();
    else if (key === "Enter" && target.type === "search") { /* it is searched while typing; Enter must not send the form */ }
    else if (key === "ArrowDown" && target.type === "search") (picked() ?? picker.querySelector("input[type=radio]")).focus();
    else if (key === "Escape" && picker.open && !(target.type === "search" && target.value)) close();
    else if (key.toLowerCase() === "p" && onChoice && plain) play();
    else if (key.toLowerCase() === "f" && onChoice && plain) favour();
    else handled = false;
    if (!handled) return;
    event.preventDefault();
    event.stopPropagation(); // not the page's own keys
  });
  const early = picked();
  if (early && !early.defaultChecked) show(early); // it was chosen before this was loaded
  return () => {
    document.removeEventListener("htmx:before:swap", before);
    document.removeEventListener("htmx:after:swap", after);
  };
});

let sound = null;
let playing = null;

function silence() {
  sound?.pause();
  playing?.removeAttribute("data-playing");
  playing = null;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-sound]");
  if (!button || button.tagName !== "BUTTON") return;
  event.preventDefault();
  const again = button === playing;
  silence();
  if (again) return;
  sound = new Audio(button.dataset.sound);
  playing = button;
  button.setAttribute("data-playing", "");
  sound.addEventListener("ended", silence);
  sound.play().catch(silence);
});
