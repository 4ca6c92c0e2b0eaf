// @ts-check
/* A table of the handbook that is wider than the page can be scrolled with the keyboard. The theme wraps tables, so this
   waits until the page is loaded. */
(() => {
  /** @param {ResizeObserverEntry[]} entries */
  const mark = (entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  };
  addEventListener("load", () => {
    const sizes = new ResizeObserver(mark);
    for (const wrap of document.querySelectorAll(".md-typeset__scrollwrap")) {
      wrap.setAttribute("role", "group");
      wrap.setAttribute("aria-label", "Table");
      sizes.observe(wrap);
    }
  });
})();
