/**
 * `[data-wipe]`: two pictures of the same size on top of each other; a slider uncovers the new one from the end of the line.
 * Without this module they stand side by side. The slider is an ordinary one, so arrows, Home and End move it.
 */
import { widget } from "./widget.js";

widget("[data-wipe]", (box) => {
  const control = box.querySelector(".wipe-control");
  const slider = control.querySelector("input");
  const show = () => box.style.setProperty("--wipe", `${slider.value}%`);
  slider.addEventListener("input", show);
  box.toggleAttribute("data-on", true);
  control.hidden = false;
  show();
});
