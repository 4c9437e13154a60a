/**
 * `a[data-lightbox="group"]`: pictures of one group in large view, in the page's order.
 * The link leads to the file itself, so it works without this module. `data-caption`, `data-from` (an address: where it
 * came from) and `data-from-label` stand below the picture.
 */
const dialog = document.getElementById("lightbox");
const template = document.getElementById("lightbox-parts");
let links = [];
let index = 0;

function part(name) {
  return dialog.querySelector(`[data-lightbox-${name}]`);
}

function zoomed(on) {
  part("stage").toggleAttribute("data-zoomed", on);
  part("zoom").setAttribute("aria-pressed", String(on));
}

function show(next) {
  index = (next + links.length) % links.length;
  const link = links[index];
  const picture = new Image();
  picture.src = link.href;
  picture.alt = link.querySelector("img")?.alt ?? link.dataset.caption ?? "";
  part("stage").replaceChildren(picture);
  part("count").textContent = `${index + 1} / ${links.length}`;
  part("caption").textContent = link.dataset.caption ?? "";
  part("download").href = link.href;
  const from = part("from");
  from.hidden = !link.dataset.from;
  if (link.dataset.from) from.href = link.dataset.from;
  for (const step of dialog.querySelectorAll(".lightbox-step")) step.hidden = links.length < 2;
  zoomed(false);
}

if (dialog && template) {
  dialog.append(template.content.cloneNode(true));
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-lightbox]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    links = [...document.querySelectorAll(`a[data-lightbox="${CSS.escape(link.dataset.lightbox)}"]`)];
    show(links.indexOf(link));
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    const target = event.target;
    if (target.closest("[data-lightbox-next]")) show(index + 1);
    else if (target.closest("[data-lightbox-previous]")) show(index - 1);
    else if (target.closest("[data-lightbox-close], [data-lightbox-from]")) dialog.close();
    else if (target.closest("[data-lightbox-zoom], [data-lightbox-stage] img")) {
      zoomed(!part("stage").hasAttribute("data-zoomed"));
    } else if (target.matches("[data-lightbox-stage]")) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const forwards = getComputedStyle(dialog).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const backwards = forwards === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
    if (event.key === forwards || event.key === "j") show(index + 1);
    else if (event.key === backwards || event.key === "k") show(index - 1);
    else if (event.key === "z" || event.key === "+") zoomed(!part("stage").hasAttribute("data-zoomed"));
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("close", () => {
    part("stage").replaceChildren();
    links[index]?.focus();
  });
}
