// @ts-check
/* A menu that opens under a button: closed by Escape and by a click elsewhere, its choices narrowed by typing. */
"use strict";
(() => {
  const { element } = window.ledger;
  /** Choices from which on a menu has a field to look for one. */
  const MANY = 12;
  /** Choices that are shown at once; more are found by typing. */
  const SHOWN = 200;

  document.addEventListener("pointerdown", (event) => {
    const inside = /** @type {Element} */ (event.target).closest(".lg-menu");
    for (const menu of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll(".lg-menu[open]")))
      if (menu !== inside) menu.open = false;
  });

  /**
   * @param {string} title
   * @param {() => MenuChoice[]} choices
   */
  const menu = (title, choices) => {
    const summary = element("summary", {}, title);
    const body = element("div", { class: "lg-menu-body" });
    const holder = element("details", { class: "lg-menu" }, summary, body);
    const search = element("input", {
      type: "search",
      class: "lg-field",
      placeholder: "Find",
      "aria-label": `Find in ${title}`,
      oninput: () => fill(),
    });
    const list = element("div", { role: "group", "aria-label": title });
    const fill = () => {
      const all = choices();
      search.hidden = all.length <= MANY;
      const typed = search.hidden ? "" : search.value.toLowerCase();
      const found = all.filter((choice) => choice.text.toLowerCase().includes(typed));
      let heading = "";
      const lines = found.slice(0, SHOWN).flatMap((choice) => {
        const tick = element("input", {
          type: "checkbox",
          "data-choice": choice.id,
          onchange: () => choice.choose(tick.checked),
        });
        tick.checked = choice.chosen;
        const short = choice.text.length > 60 ? `${choice.text.slice(0, 59)}…` : choice.text;
        const line = element(
          "label",
          { title: short === choice.text ? null : choice.text },
          tick,
          element("span", {}, short),
          choice.count === undefined ? null : element("small", {}, String(choice.count)),
        );
        if (!choice.heading || choice.heading === heading) return [line];
        heading = choice.heading;
        return [element("strong", {}, heading), line];
      });
      if (found.length > SHOWN) lines.push(element("strong", {}, `${found.length - SHOWN} more: type to find them`));
      if (!found.length) lines.push(element("strong", {}, "Nothing has this in its name."));
      const focused = list.contains(document.activeElement)
        ? /** @type {HTMLElement} */ (document.activeElement).dataset.choice
        : null;
      list.replaceChildren(...lines);
      if (focused !== null)
        /** @type {HTMLElement | null} */ (list.querySelector(`[data-choice="${CSS.escape(focused || "")}"]`))?.focus();
    };
    body.append(search, list);
    holder.addEventListener("toggle", () => {
      if (holder.open) fill();
    });
    holder.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      holder.open = false;
      summary.focus();
    });
    /** @param {string} text */
    const update = (text) => {
      summary.textContent = text;
      if (holder.open) fill();
    };
    return { holder, update };
  };

  Object.assign(globalThis, { ledgerMenu: { menu } });
})();
