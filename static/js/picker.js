/** `[data-picker]`: the summary says what is picked; `[data-sound]` plays a voice, one at a time. */
import { widget } from "./widget.js";

widget("[data-picker]", (picker) => {
  const value = picker.querySelector("[data-picker-value]");
  picker.addEventListener("change", (event) => {
    if (event.target.type !== "radio") return;
    value.textContent = event.target.value ? (event.target.dataset.name ?? event.target.value) : value.dataset.none;
  });
  picker.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input[type=search], input[type=radio]")) {
      event.preventDefault(); // it would send the whole form
      if (event.target.type === "radio") {
        picker.open = false;
        picker.querySelector("summary").focus();
      }
    }
  });
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
  if (!button) return;
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
