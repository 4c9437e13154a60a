/**
 * A picture that cannot be shown is replaced by a place that says so, not by the browser's sign for a broken one. What shows
 * one in large view (`a[data-lightbox]`) is loaded when somebody wants that.
 */
const template = document.getElementById("picture-gone");

function replace(image) {
  const place = template.content.firstElementChild.cloneNode(true);
  if (image.alt) place.querySelector("[data-picture-name]").textContent = `${image.alt}: `;
  image.replaceWith(place);
}

if (template) {
  // The event does not bubble. Pictures that come later, in a swap or from the stream, are heard as well.
  document.addEventListener(
    "error",
    (event) => {
      if (event.target instanceof HTMLImageElement) replace(event.target);
    },
    true,
  );
  // What failed before this module was there.
  for (const image of [...document.images]) {
    if (image.complete && image.currentSrc && image.naturalWidth === 0) replace(image);
  }
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-lightbox]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  try {
    (await import("./lightbox.js")).open(link);
  } catch {
    location.assign(link.href);
  }
});
