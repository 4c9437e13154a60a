/**
 * The live page beside its player: words light up as the picture speaks them, the seconds until HeyGen ends the stream
 * count down, the cost counts up.
 *
 * `[data-live-page]` has when the stream was first seen playing (`data-started`, or a `[data-cost-since]` that comes
 * later). Words are `[data-words] > [data-start][data-end]`, in seconds of speech.
 */
import { now } from "./now.js";
import { behind } from "./player.js";
import { widget } from "./widget.js";

const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
// How far the picture may drift from the estimate before the words follow it at once.
const JUMP_SECONDS = 3;

widget("[data-live-page]", (page) => {
  const frame = page.querySelector("[data-player]");
  const video = frame.querySelector("video");
  const list = page.querySelector("[data-words]");
  const transcript = page.querySelector("[data-transcript]");
  const pushed = page.querySelector("[data-pushed]"); // where text may be pushed
  let speechBegan = Date.parse(page.dataset.started ?? ""); // NaN: not yet
  let lead = null; // seconds of speech at the picture's time 0
  let spoken = null; // the word that was spoken last
  let follows = true;

  /** Words come when they were spoken, so each bounds the moment at which the speech began. */
  function learn(word) {
    const latest = now() - Number(word.dataset.end) * 1000;
    if (!(speechBegan <= latest)) speechBegan = latest;
  }

  function pictureTime() {
    if (video.readyState < 2) return null;
    const late = behind(frame);
    if (late !== null && !video.paused && !page.querySelector("[data-stream-ended]") && speechBegan) {
      const estimate = (now() - speechBegan) / 1000 - late - video.currentTime;
      if (lead === null || Math.abs(estimate - lead) > JUMP_SECONDS) lead = estimate;
      else lead += (estimate - lead) * 0.05;
    }
    return lead === null ? null : lead + video.currentTime;
  }

  function light() {
    const at = pictureTime();
    const plays = at !== null && ["playing", "stalled"].includes(frame.dataset.state);
    list.toggleAttribute("data-follows", plays);
    if (!plays) {
      // Nothing is being spoken: no word is the current one.
      spoken?.removeAttribute("data-now");
      spoken = null;
      return;
    }
    let newest = null;
    for (let word = list.lastElementChild; word; word = word.previousElementSibling) {
      const said = Number(word.dataset.start) <= at;
      if (said && !newest) newest = word;
      if (said && word.hasAttribute("data-said")) break; // all before it are lit already
      word.toggleAttribute("data-said", said);
    }
    if (newest === spoken) return;
    spoken?.removeAttribute("data-now");
    newest?.setAttribute("data-now", "");
    spoken = newest;
    if (newest && follows) reveal(newest);
  }

  function reveal(word) {
    const bottom = word.offsetTop + word.offsetHeight - transcript.offsetTop;
    const hidden = bottom - transcript.clientHeight + 24 - transcript.scrollTop;
    if (hidden > 0) transcript.scrollTop += hidden;
  }

  // Whoever reads further up is left alone.
  transcript.addEventListener("scroll", () => {
    follows = transcript.scrollHeight - transcript.scrollTop - transcript.clientHeight < 80;
  });

  function countDown() {
    for (const box of page.querySelectorAll("[data-idle-at]")) {
      const left = Math.max(0, (Date.parse(box.dataset.idleAt) - now()) / 1000);
      const bar = box.querySelector("progress");
      const text = box.querySelector("[data-idle-text]");
      bar.value = Math.min(left, Number(box.dataset.seconds));
      box.toggleAttribute("data-soon", left <= 10);
      const words = left > 0 ? text.dataset.word.replace("{seconds}", Math.ceil(left)) : text.dataset.wordOver;
      if (text.textContent !== words) text.textContent = words;
    }
    for (const sum of page.querySelectorAll("[data-cost-since]")) {
      const seconds = Math.max(0, (now() - Date.parse(sum.dataset.costSince)) / 1000);
      const shown = `$${money.format(seconds * Number(sum.dataset.price))}`;
      if (sum.textContent !== shown) sum.textContent = shown;
      speechBegan ||= Date.parse(sum.dataset.costSince);
    }
  }

  const started = performance.now();
  const news = new MutationObserver((changes) => {
    // What the page came with may be old; what comes later was just spoken.
    if (performance.now() - started > 1000) {
      for (const change of changes) for (const node of change.addedNodes) if (node.dataset?.end) learn(node);
    }
    if (follows && !list.hasAttribute("data-follows")) transcript.scrollTop = transcript.scrollHeight;
  });
  news.observe(list, { childList: true });
  transcript.scrollTop = transcript.scrollHeight;
  const toNewest = () => {
    pushed.scrollTop = pushed.scrollHeight;
  };
  const presses = new MutationObserver(toNewest);
  if (pushed) {
    presses.observe(pushed, { childList: true });
    toNewest();
  }

  const words = setInterval(light, 120);
  const clock = setInterval(countDown, 250);
  countDown();
  return () => {
    clearInterval(words);
    clearInterval(clock);
    news.disconnect();
    presses.disconnect();
  };
});
