// @ts-check
/* Sets the colours before the first paint: the reader's choice, else what the system prefers. */
(() => {
  const chosen = window.__md_get("__palette");
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const scheme = chosen?.color ? chosen.color.scheme : dark ? "slate" : "default";
  document.body.setAttribute("data-md-color-scheme", scheme);
})();
