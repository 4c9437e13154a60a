/**
 * `[data-left]`: notes on pictures that the newest storyboard has not any more. What was typed there is still kept (draft.js)
 * under the name in `data-left-draft`; it is shown here, and goes where `data-left-to` (an id) names a field, or away.
 */
import { draftOf, forgetDraft } from "./draft.js";
import { widget } from "./widget.js";

widget("[data-left]", (box) => {
  const rows = [...box.querySelectorAll("[data-left-draft]")];
  const field = document.getElementById(box.dataset.leftTo);

  function show() {
    for (const row of rows) {
      const kept = draftOf(row.dataset.leftDraft);
      row.hidden = !kept;
      row.querySelector("[data-left-text]").textContent = kept?.text ?? "";
    }
    box.hidden = rows.every((row) => row.hidden);
  }

  function take(kept) {
    field.value = [field.value.trimEnd(), kept.text].filter(Boolean).join("\n");
    // What its writer knew of others' answers when it was written comes along: those after that are told before it goes out.
    const companion = document.getElementById(field.dataset.draftWith);
    if (companion && kept.with) companion.value = kept.with;
    field.dispatchEvent(new Event("input", { bubbles: true })); // kept there before it is forgotten here
  }

  box.addEventListener("click", (event) => {
    const name = event.target.closest("[data-left-draft]")?.dataset.leftDraft;
    const takes = event.target.closest("[data-left-take]") !== null;
    if (!name || !(takes || event.target.closest("[data-left-drop]"))) return;
    const kept = draftOf(name);
    if (takes && kept) take(kept);
    forgetDraft(name);
    show();
    field.focus();
  });
  show();
});
