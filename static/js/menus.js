/** `<details data-menu>` behaves as a menu button: Escape, a click beside it and leaving it close it. */
import { widget } from "./widget.js";

widget("details[data-menu]", (menu) => {
  const summary = menu.querySelector("summary");
  menu.addEventListener("keydown", (event) => {
    if (!menu.open) return;
    if (event.key === "Escape") {
      menu.open = false;
      summary.focus();
      event.stopPropagation();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const items = [...menu.querySelectorAll("a[href], button, input")].filter((item) => item.offsetParent !== null);
    if (items.length === 0) return;
    const here = items.indexOf(document.activeElement);
    const next = here === -1 && step === -1 ? -1 : here + step; // up from the button is to the last
    items.at(next % items.length).focus();
    event.preventDefault();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  const away = (event) => {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  };
  document.addEventListener("pointerdown", away);
  return () => document.removeEventListener("pointerdown", away);
});
