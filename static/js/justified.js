/** `[data-justified]`: gives each picture of the grid its own proportions, so that rows are filled without cropping. */
import { widget } from "./widget.js";

const NARROWEST = 0.56; // a phone held upright
const WIDEST = 2.4;

// One whose proportions the server knew has its room already; moving it again would make the page jump.
widget("[data-justified] .tile:not([data-ratio]) img", (picture) => {
  const fit = () => {
    if (!picture.naturalWidth) return;
    const ratio = Math.min(Math.max(picture.naturalWidth / picture.naturalHeight, NARROWEST), WIDEST);
    picture.closest("li").style.setProperty("--ratio", ratio.toFixed(4));
  };
  if (picture.complete) fit();
  else picture.addEventListener("load", fit, { once: true });
});
