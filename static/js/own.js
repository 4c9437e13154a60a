/**
 * `[data-own="user id"]`: shown only to that person. A fragment is the same for all who look, so what one of them may
 * do with it can only be decided here; whether they may is decided by the server.
 */
const user = document.documentElement.dataset.user;
if (user) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`[data-own="${CSS.escape(user)}"] { display: revert }`);
  document.adoptedStyleSheets.push(sheet);
}
