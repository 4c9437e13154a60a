/**
 * `data-refresh="15"`: asks the server for the region every so many seconds, while somebody looks and nobody types in
 * it. The element has `hx-trigger="refresh"`; without this module it stays as it was loaded.
 */
import { widget } from "./widget.js";

widget("[data-refresh]", (element) => {
  const seconds = Number(element.dataset.refresh);
  const ask = () => {
    const busy = element.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
    if (!document.hidden && !busy) element.dispatchEvent(new CustomEvent("refresh"));
  };
  const timer = setInterval(ask, seconds * 1000);
  document.addEventListener("visibilitychange", ask);
  document.addEventListener("needs-you", ask);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", ask);
    document.removeEventListener("needs-you", ask);
  };
});
