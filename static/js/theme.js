/** Light, dark or as the system: changes at once, remembers in the cookie that the server reads. */
import { widget } from "./widget.js";

const YEAR_SECONDS = 365 * 24 * 3600;

widget("form[data-theme-switch]", (form) => {
  form.addEventListener("submit", (event) => {
    const chosen = event.submitter?.value;
    if (!chosen) return;
    event.preventDefault();
    const secure = location.protocol === "https:" ? "; Secure" : "";
    if (chosen === "system") {
      delete document.documentElement.dataset.theme;
      document.cookie = `dailies_theme=; Path=/; Max-Age=0; SameSite=Lax${secure}`;
    } else {
      document.documentElement.dataset.theme = chosen;
      document.cookie = `dailies_theme=${chosen}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax${secure}`;
    }
    for (const button of document.querySelectorAll("form[data-theme-switch] button[name=theme]")) {
      button.setAttribute("aria-pressed", String(button.value === chosen));
    }
  });
});
