// @ts-check
/* The menus over the table: one for each facet, and one for the columns. */
"use strict";
(() => {
  const { menu } = window.ledgerMenu;
  const { UNFINISHED } = window.ledgerFacets;
  const { titleOf } = window.ledgerRunColumns;

  /**
   * @param {Facet} facet
   * @param {() => {chosen: Set<string>, counts: FacetCounts}} now
   * @param {(chosen: Set<string>) => void} choose
   */
  const facetMenu = (facet, now, choose) => {
    /** @param {string} word @param {string} text @param {number} count @returns {MenuChoice} */
    const choice = (word, text, count) => ({
      id: word,
      text,
      count,
      chosen: now().chosen.has(word),
      choose: (on) => {
        const chosen = new Set(now().chosen);
        if (on) chosen.add(word);
        else chosen.delete(word);
        choose(chosen);
      },
    });
    const choices = () => {
      const { chosen, counts } = now();
      const words = facet.words.map((word, code) => choice(word, word, counts.words[code]));
      if (facet.name === "month") words.sort((a, b) => (a.text < b.text ? 1 : -1));
      else words.sort((a, b) => (b.count || 0) - (a.count || 0) || (a.text < b.text ? -1 : 1));
      if (facet.name === "status") {
        const finished = facet.words.indexOf("finished");
        const all = counts.words.reduce((sum, count) => sum + count, 0);
        words.push(choice(UNFINISHED, "not finished", all - (finished < 0 ? 0 : counts.words[finished])));
      }
      const strange = [...chosen].filter((word) => word && word !== UNFINISHED && !facet.words.includes(word));
      words.push(...strange.map((word) => choice(word, word, 0)));
      if (counts.none || chosen.has("")) words.push(choice("", "no value", counts.none));
      return words;
    };
    const made = menu(facet.title, choices);
    made.holder.dataset.facet = facet.name;
    const update = () => {
      const { chosen } = now();
      const [only] = chosen;
      const short = only && only.length > 20 ? `${only.slice(0, 19)}…` : only || "no value";
      made.holder.classList.toggle("lg-chosen", chosen.size > 0);
      made.update(
        chosen.size
          ? `${facet.title}: ${chosen.size > 1 ? chosen.size : only === UNFINISHED ? "not finished" : short}`
          : facet.title,
      );
    };
    return { holder: made.holder, update };
  };

  /**
   * The menu of columns; one that is added stands behind the others, whose order stays.
   * @param {RunColumn[]} columns
   * @param {() => string[]} shown
   * @param {(ids: string[]) => void} choose
   */
  const columnMenu = (columns, shown, choose) => {
    const order = ["Metrics", "Params", "Columns", "Hardware"];
    const sorted = order.flatMap((group) => columns.filter((column) => (column.group || "Columns") === group));
    const choices = () =>
      sorted.map((column) => ({
        id: column.id,
        text: titleOf(column),
        heading: column.group || "Columns",
        chosen: shown().includes(column.id),
        choose: (/** @type {boolean} */ on) =>
          choose(on ? [...shown(), column.id] : shown().filter((id) => id !== column.id)),
      }));
    const made = menu("Columns", choices);
    made.holder.dataset.facet = "columns";
    return { holder: made.holder, update: () => made.update("Columns") };
  };

  Object.assign(globalThis, { ledgerMenus: { facetMenu, columnMenu } });
})();
