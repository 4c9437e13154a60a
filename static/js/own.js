/**
 * `[data-own="user id"]`: shown only to that person; `[data-not-own="ids"]`: to everybody but those. A fragment is the same for all who look, so what one of them may
 * do with it can only be decided here; whether they may is decided by the server.
 */
const user = document.documentElement.dataset.user;
if (user) {
  const sheet = new CSSStyleSheet();
  const own = CSS.escape(user);
  sheet.replaceSync(`[data-own="${own}"] { display: revert } [data-not-own~="${own}"] { display: none }`);
  document.adoptedStyleSheets.push(sheet);
}
