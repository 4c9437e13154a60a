/**
 * `[data-player]`: a live HLS stream that plays as soon as it can and says what is the matter when it cannot.
 *
 * `data-src` is the playlist, `data-library` hls.js; with `data-waits` it begins when a `[data-player-begins]` appears on
 * the page, at once or later. A `[data-player-ended]` says that no more will come: what is loaded is played to its end,
 * and from the address that the player has, because HeyGen forgets it. hls.js is asked first: Chromium claims to play HLS itself, but
 * worse. Its own player is the fallback for servers that send no CORS header. Starts muted, because browsers refuse to
 * start with sound; `[data-unmute]` is the one press that it takes.
 *
 * The state stands in `data-state` (waiting, connecting, playing, stalled, blocked, ended, failed) and in `[data-player-state]`,
 * whose words are `data-word-<state>`.
 */
import { widget } from "./widget.js";

const STALL_SECONDS = 8;
// The picture runs a few seconds behind: so long the end may take to arrive.
const LAST_SECONDS = 40;
const RETRY_SECONDS = [1, 2, 4, 8, 15];
const loading = new Map(); // address -> promise of the library

const players = new WeakMap(); // frame -> its hls.js

/** Seconds by which the picture in `frame` is behind what HeyGen makes right now; null while nothing plays. */
export function behind(frame) {
  const video = frame.querySelector("video");
  const hls = players.get(frame);
  if (hls) return Number.isFinite(hls.latency) && hls.latency > 0 ? hls.latency : null;
  const { seekable } = video;
  return video.src && seekable.length ? seekable.end(seekable.length - 1) - video.currentTime : null;
}

function library(address) {
  if (!loading.has(address)) {
    loading.set(
      address,
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = address;
        script.addEventListener("load", () => resolve(window.Hls));
        script.addEventListener("error", () => reject(new Error("hls.js did not load")));
        document.head.append(script);
      }),
    );
  }
  return loading.get(address);
}

widget("[data-player]", (frame) => {
  const video = frame.querySelector("video");
  const note = frame.querySelector("[data-player-state]");
  const unmute = frame.querySelector("[data-unmute]");
  const retry = frame.querySelector("[data-player-retry]");
  let hls = null;
  let attempts = 0;
  let timer;
  let stall;
  let over = false; // no more will come
  let last;

  function show(state) {
    frame.dataset.state = state;
    if (!note) return;
    const text = note.dataset[`word${state[0].toUpperCase()}${state.slice(1)}`] ?? "";
    (note.querySelector("[data-text]") ?? note).textContent = text;
    note.hidden = state === "playing";
    if (retry) retry.hidden = state !== "failed" && state !== "blocked";
  }

  function play() {
    video.play().catch((error) => {
      if (error.name === "NotAllowedError") show("blocked"); // AbortError: a newer source took over
    });
  }

  function drop() {
    clearTimeout(timer);
    clearTimeout(stall);
    hls?.destroy();
    hls = null;
    players.delete(frame);
  }

  function natively() {
    drop();
    video.src = frame.dataset.src;
    play();
  }

  function finish() {
    clearTimeout(last);
    drop();
    show("ended");
  }

  function again() {
    if (over) {
      finish();
      return;
    }
    if (attempts >= RETRY_SECONDS.length) {
      show("failed");
      return;
    }
    show("connecting");
    timer = setTimeout(start, RETRY_SECONDS[attempts] * 1000);
    attempts += 1;
  }

  async function start() {
    drop();
    if (!frame.isConnected || !frame.dataset.src) return;
    show("connecting");
    let Hls;
    try {
      Hls = await library(frame.dataset.library);
    } catch {
      natively();
      return;
    }
    if (!frame.isConnected) return;
    if (!Hls?.isSupported()) {
      natively();
      return;
    }
    // Two starts at once (a press on "play" while the library loads) must not make two.
    drop();
    hls = new Hls({ liveSyncDurationCount: 3, backBufferLength: 30 });
    hls.on(Hls.Events.ERROR, (_, problem) => {
      if (!problem.fatal) return;
      const unreadable = problem.details === Hls.ErrorDetails.MANIFEST_LOAD_ERROR && !problem.response?.code;
      if (unreadable && video.canPlayType("application/vnd.apple.mpegurl")) natively();
      else if (problem.type === Hls.ErrorTypes.MEDIA_ERROR && attempts === 0) {
        attempts += 1;
        hls.recoverMediaError();
      } else again();
    });
    players.set(frame, hls);
    hls.loadSource(frame.dataset.src);
    hls.attachMedia(video);
    video.muted = true;
    play();
  }

  video.addEventListener("playing", () => {
    attempts = 0;
    clearTimeout(stall);
    show("playing");
    if (unmute) unmute.hidden = !video.muted;
  });
  video.addEventListener("waiting", () => {
    if (over && video.ended) return;
    show("stalled");
    clearTimeout(stall);
    stall = setTimeout(again, STALL_SECONDS * 1000);
  });
  video.addEventListener("ended", () => {
    over = true;
    clearTimeout(last);
    clearTimeout(stall);
    show("ended");
  });
  video.addEventListener("error", () => {
    if (!hls) again();
  });
  video.addEventListener("volumechange", () => {
    if (unmute) unmute.hidden = !video.muted;
  });
  unmute?.addEventListener("click", () => {
    video.muted = false;
    play();
  });
  retry?.addEventListener("click", () => {
    attempts = 0;
    start();
  });
  frame.addEventListener("player:begins", () => {
    if (!hls && !over && !video.src) start();
  });
  frame.addEventListener("player:ended", () => {
    over = true;
    if (!hls && !video.currentSrc) show("ended");
    else last ??= setTimeout(finish, LAST_SECONDS * 1000);
  });
  if (document.querySelector("[data-player-ended]")) {
    over = true;
    show("ended");
  } else if (!frame.hasAttribute("data-waits") || document.querySelector("[data-player-begins]")) start();
  else show("waiting");
  return () => {
    clearTimeout(last);
    drop();
  };
});

for (const sign of ["begins", "ended"]) {
  widget(`[data-player-${sign}]`, () => {
    document.querySelector("[data-player]")?.dispatchEvent(new CustomEvent(`player:${sign}`));
  });
}
