// @ts-check
/* A small card beside the row that is pointed at or focused: its note, its tags, and the params that tell it apart. */
"use strict";
(() => {
  const { element } = window.ledger;
  const DELAY = 250;
  const GAP = 14;

  /**
   * @param {Runs} data
   * @param {HTMLElement} table rows have their number in `data-row`
   */
  const installPreview = (data, table) => {
    const card = element("div", { class: "lg-preview", id: "lg-preview", role: "tooltip", hidden: true });
    document.body.append(card);
    const wide = matchMedia("(hover: hover) and (min-width: 45em)");
    let timer = 0;
    const hide = () => {
      clearTimeout(timer);
      card.hidden = true;
      table.querySelector("[aria-describedby=lg-preview]")?.removeAttribute("aria-describedby");
    };
    /** @param {number} row */
    const fill = (row) => {
      const note = data.word(data.note, row);
      const tags = data.tags.codes[row].map((code) => element("span", { class: "lg-tag" }, data.tags.words[code]));
      const params = data.told_params
        .map(
          (name) => /** @type {[string, Param | undefined]} */ ([name, data.params.find((one) => one.name === name)]),
        )
        .filter(([, param]) => param && data.word(param, row) !== "");
      card.replaceChildren(
        element("strong", {}, data.name[row]),
        element("p", { class: "lg-id" }, data.id[row]),
        note ? element("p", {}, note) : element("p", { class: "lg-none" }, "no note"),
        ...(tags.length ? [element("p", {}, ...tags.flatMap((tag) => [tag, " "]))] : []),
        element(
          "dl",
          {},
          ...params.flatMap(([name, param]) => [
            element("dt", {}, name),
            element("dd", {}, data.word(/** @type {Param} */ (param), row)),
          ]),
        ),
      );
    };
    /** @param {HTMLElement} line @param {number} x */
    const show = (line, x) => {
      fill(Number(line.dataset.row));
      card.hidden = false;
      const box = line.getBoundingClientRect();
      const below = box.bottom + card.offsetHeight + GAP < innerHeight;
      card.style.left = `${Math.max(GAP, Math.min(x + GAP, innerWidth - card.offsetWidth - GAP))}px`;
      card.style.top = `${Math.max(GAP, below ? box.bottom + 4 : box.top - card.offsetHeight - 4)}px`;
      line.querySelector("th a")?.setAttribute("aria-describedby", "lg-preview");
    };
    /** @param {Event} event */
    const lineOf = (event) =>
      /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("tr[data-row]"));
    /** @type {HTMLElement | null} */
    let last = null;
    table.addEventListener("mouseover", (event) => {
      const line = lineOf(event);
      if (line === last || !wide.matches) return;
      hide();
      last = line;
      if (line) timer = setTimeout(() => line.isConnected && show(line, event.clientX), DELAY);
    });
    table.addEventListener("mouseleave", () => {
      last = null;
      hide();
    });
    table.addEventListener("focusin", (event) => {
      const line = lineOf(event);
      const link = /** @type {Element} */ (event.target);
      if (!line || !wide.matches || !link.matches("th a:focus-visible")) return hide();
      show(line, link.getBoundingClientRect().right);
    });
    table.addEventListener("focusout", hide);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
    });
    document.addEventListener("scroll", hide, true);
    return hide;
  };

  Object.assign(globalThis, { ledgerPreview: { installPreview } });
})();
