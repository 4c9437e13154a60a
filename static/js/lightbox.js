/**
 * `a[data-lightbox="group"]`: pictures and films (`data-look="video"`, `data-captions`) of one group in large view, in the
 * page's order. The link leads to the file itself, so it works without this module; `pictures.js` loads it with the first
 * click. `data-caption`, `data-info` and `data-from` (an address: where it came from) stand below the picture.
 * Keys: arrows or j and k, z or + for full size (then the arrows move the picture), i for the words below, Escape.
 */
const dialog = document.getElementById("lightbox");
const template = document.getElementById("lightbox-parts");
const PAN = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PAN_PX = 80;
let links = [];
let index = 0;

function part(name) {
  return dialog.querySelector(`[data-lightbox-${name}]`);
}

function zoomed(on) {
  part("stage").toggleAttribute("data-zoomed", on);
  part("stage").tabIndex = on ? 0 : -1; // it scrolls then
  part("zoom").setAttribute("aria-pressed", String(on));
}

function picture(link) {
  const image = new Image();
  image.src = link.href;
  image.alt = link.querySelector("img")?.alt || link.dataset.caption || "";
  return image;
}

function film(link) {
  const video = document.createElement("video");
  video.controls = true;
  video.playsInline = true;
  video.src = link.href;
  video.setAttribute("aria-label", link.dataset.caption ?? "");
  if (link.dataset.captions) {
    const track = document.createElement("track");
    track.kind = "captions";
    track.src = link.dataset.captions;
    track.srclang = "und";
    video.append(track);
  }
  return video;
}

function show(next) {
  index = (next + links.length) % links.length;
  const link = links[index];
  part("stage").replaceChildren(link.dataset.look === "video" ? film(link) : picture(link));
  part("zoom").hidden = link.dataset.look === "video";
  part("count").textContent = `${index + 1} / ${links.length}`;
  part("caption").textContent = link.dataset.caption ?? "";
  part("info").textContent = link.dataset.info ?? "";
  part("download").href = link.href;
  const from = part("from");
  from.hidden = !link.dataset.from;
  if (link.dataset.from) from.href = link.dataset.from;
  for (const step of dialog.querySelectorAll(".lightbox-step")) step.hidden = links.length < 2;
  zoomed(false);
}

/** Shows what `link` leads to, among the others of its group. */
export function open(link) {
  links = [...document.querySelectorAll(`a[data-lightbox="${CSS.escape(link.dataset.lightbox)}"]`)];
  show(links.indexOf(link));
  if (!dialog.open) dialog.showModal();
}

dialog.append(template.content.cloneNode(true));
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
  if (event.target.matches("video")) return; // its own keys
  const forwards = getComputedStyle(dialog).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  const backwards = forwards === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
  const [x, y] = PAN[event.key] ?? [0, 0];
  if ((x || y) && part("stage").hasAttribute("data-zoomed")) part("stage").scrollBy(x * PAN_PX, y * PAN_PX);
  else if (event.key === forwards || event.key === "j") show(index + 1);
  else if (event.key === backwards || event.key === "k") show(index - 1);
  else if ((event.key === "z" || event.key === "+") && !part("zoom").hidden) {
    zoomed(!part("stage").hasAttribute("data-zoomed"));
  } else if (event.key === "i") part("words").toggleAttribute("hidden");
  else return;
  event.preventDefault();
});
dialog.addEventListener("close", () => {
  part("stage").replaceChildren();
  links[index]?.focus();
});
