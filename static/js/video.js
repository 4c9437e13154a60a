/** `[data-video]` around a finished video: speed, captions and picture-in-picture beside the browser's own controls. */
import { widget } from "./widget.js";

widget("[data-video]", (box) => {
  const video = box.querySelector("video");
  const speed = box.querySelector("[data-speed]");
  const captions = box.querySelector("[data-captions]");
  const window_ = box.querySelector("[data-picture-in-picture]");

  speed?.addEventListener("change", () => {
    video.playbackRate = Number(speed.value);
  });
  video.addEventListener("ratechange", () => {
    if (speed) speed.value = String(video.playbackRate);
  });

  if (captions) {
    const track = () => [...video.textTracks].find((one) => ["captions", "subtitles"].includes(one.kind));
    const show = () => captions.setAttribute("aria-pressed", String(track()?.mode === "showing"));
    captions.hidden = !track();
    captions.addEventListener("click", () => {
      track().mode = track().mode === "showing" ? "hidden" : "showing";
      show();
    });
    video.textTracks.addEventListener("change", show);
    show();
  }

  if (window_) {
    window_.hidden = !document.pictureInPictureEnabled || video.disablePictureInPicture;
    window_.addEventListener("click", async () => {
      if (document.pictureInPictureElement === video) await document.exitPictureInPicture();
      else await video.requestPictureInPicture();
    });
    const show = () => window_.setAttribute("aria-pressed", String(document.pictureInPictureElement === video));
    video.addEventListener("enterpictureinpicture", show);
    video.addEventListener("leavepictureinpicture", show);
  }

  // A link that ran out while the page was open: the same address gives a fresh one.
  let renewed = false;
  video.addEventListener("error", () => {
    if (renewed || !video.currentSrc) return;
    renewed = true;
    const at = video.currentTime;
    video.load();
    video.currentTime = at;
  });
});
