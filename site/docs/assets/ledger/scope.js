// @ts-check
/* Material's four globals, kept in a file because the security policy refuses inline scripts.
   This file stands in assets/ledger/, so the site's root is two folders up from it. */
window.__md_scope = new URL("../..", /** @type {HTMLScriptElement} */ (document.currentScript).src);
window.__md_hash = (text) => [...text].reduce((hash, letter) => (hash << 5) - hash + letter.charCodeAt(0), 0);
window.__md_get = (key, store = localStorage, scope = window.__md_scope) => {
  try {
    return JSON.parse(store.getItem(`${scope.pathname}.${key}`) ?? "null");
  } catch {
    return null;
  }
};
window.__md_set = (key, value, store = localStorage, scope = window.__md_scope) => {
  try {
    store.setItem(`${scope.pathname}.${key}`, JSON.stringify(value));
  } catch {
    /* storage is off: the choice lasts for this page */
  }
};
document.documentElement.classList.replace("no-js", "js");
