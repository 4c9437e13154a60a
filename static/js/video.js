/**
 * `[data-video]` around a finished video: speed, captions and picture-in-picture beside the browser's own controls.
 * Captions that come later stand as `data-captions-src` at the element around it, and are added to a film that plays on.
 */
import { widget } from "./widget.js";

widget("[data-video]", (box) => {
  const film = box.parentElement;
  const video = box.querySelector("video");
  const speed = box.querySelector("[data-speed]");
  const captions = box.querySelector("[data-captions]");
  const small = box.querySelector("[data-picture-in-picture]");

  speed.addEventListener("change", () => {
    video.playbackRate = Number(speed.value);
  });
  video.addEventListener("ratechange", () => {
    speed.value = String(video.playbackRate);
  });

  const track = () => [...video.textTracks].find((one) => ["captions", "subtitles"].includes(one.kind));
  const showCaptions = () => {
    captions.hidden = !track();
    captions.setAttribute("aria-pressed", String(track()?.mode === "showing"));
  };
  captions.addEventListener("click", () => {
    track().mode = track().mode === "showing" ? "hidden" : "showing";
    showCaptions();
  });
  for (const name of ["change", "addtrack"]) video.textTracks.addEventListener(name, showCaptions);
  showCaptions();

  const complete = () => {
    const { captionsSrc, captionsLabel } = film.dataset;
    if (!captionsSrc || video.querySelector("track")) return;
    const late = Object.assign(document.createElement("track"), { kind: "captions", label: captionsLabel, srclang: "und" });
    late.src = captionsSrc;
    video.append(late);
  };
  complete();
  const observer = new MutationObserver(complete);
  observer.observe(film, { attributeFilter: ["data-captions-src"] });

  small.hidden = !document.pictureInPictureEnabled || video.disablePictureInPicture;
  small.addEventListener("click", async () => {
    if (document.pictureInPictureElement === video) await document.exitPictureInPicture();
    else await video.requestPictureInPicture();
  });
  const showSmall = () => small.setAttribute("aria-pressed", String(document.pictureInPictureElement === video));
  video.addEventListener("enterpictureinpicture", showSmall);
  video.addEventListener("leavepictureinpicture", showSmall);

  // A link that ran out while the page was open: the same address gives a fresh one.
  let renewed = false;
  video.addEventListener("error", () => {
    if (renewed || !video.currentSrc) return;
    renewed = true;
    const at = video.currentTime;
    video.load();
    video.currentTime = at;
  });
  video.addEventListener("playing", () => {
    renewed = false;
  });
  return () => observer.disconnect();
});
