// @ts-check
/* What parts the compared runs: params, data, code, software, machines, and what else is known of them. */
"use strict";
(() => {
  const { element, duration, minute, money, badge } = window.ledger;
  const { differences } = window.ledgerComparison;

  const unknown = () => element("span", { class: "lg-unknown" }, "unknown");
  const none = () => element("span", { class: "lg-none" }, "none");

  /** @typedef {{name: string, words: string[], cells: (Node | string)[]}} Fact without words it is never said to differ */

  /** @param {string} name @param {string[]} words @param {() => Node} [missing] @returns {Fact} */
  const fact = (name, words, missing = unknown) => ({
    name,
    words,
    cells: words.map((word) => (word ? element("code", { class: "lg-wrap" }, word) : missing())),
  });

  /**
   * Facts by part; of a run without a word nothing is known, or it has none.
   * @param {Runs} data
   * @param {number[]} rows
   * @param {Compared | null} compared
   * @returns {[string, Fact[]][]}
   */
  const factsOf = (data, rows, compared) => {
    /** @param {Column} column */
    const words = (column) => rows.map((row) => data.word(column, row));
    /** @param {string} kind */
    const places = (kind) =>
      (compared?.facts ?? [])
        .filter((each) => each.kind === kind)
        .map((column) => fact(column.name, words(column)))
        .filter((each) => each.words.some(Boolean));
    const changed = words(data.changes).map((hash, at) =>
      hash && compared ? `${data.word(compared.changes, rows[at])} (${hash})` : hash,
    );
    const experiments = words(data.experiment);
    const seeds = fact("seed", words(data.seed));
    const params = data.params
      .map((param) => fact(param.name, words(param), none))
      .filter((each) => each.words.some(Boolean));
    const told = params.some((param) => param.words.join() === seeds.words.join());
    const took = rows.map((row) => (data.duration[row] === null ? "" : duration(data.duration[row])));
    const costs = rows.map((row) => money(data, row));
    return [
      ["Params", params],
      ["Data", [fact("trained on", words(data.trained))]],
      ["Code", [fact("commit", words(data.commit)), fact("uncommitted changes", changed, none), ...places("code")]],
      ["Environment", places("environment")],
      ["Hardware", places("hardware")],
      [
        "Run",
        [
          ...(told ? [] : [seeds]),
          { name: "status", words: words(data.status), cells: words(data.status).map(badge) },
          {
            name: "experiment",
            words: experiments,
            cells: experiments.map((word, at) =>
              element("a", { href: window.ledger.url(data.pages[data.experiment.codes[rows[at]]]) }, word),
            ),
          },
          fact("author", words(data.author)),
          { name: "duration", words: took, cells: took.map((word) => word || unknown()) },
          { name: "cost", words: costs.map((cost) => cost.textContent ?? ""), cells: costs },
          { name: "started (UTC)", words: [], cells: rows.map((row) => minute(data.started[row])) },
        ],
      ],
    ];
  };

  /** @param {Fact} one */
  const differs = ({ words }) => new Set(words).size > 1;

  /** The fact of a part that is the same only where all of the part is; without one, all facts together. @type {Record<string, string>} */
  const WHOLE = { Data: "trained on", Code: "identity", Environment: "packages", Hardware: "cpu" };

  /**
   * Parts in which nothing differs, as far as they are known: those that are the same, and those that may not be.
   * @param {[string, Fact[]][]} parts
   */
  const unmarked = (parts) => {
    const alike = parts.filter(([title, facts]) => title !== "Run" && !facts.some(differs));
    /** @param {[string, Fact[]]} part */
    const isKnown = ([title, facts]) => {
      const asked = facts.filter(({ name }) => !WHOLE[title] || name === WHOLE[title]);
      return (
        asked.length > 0 && asked.every(({ words }) => words.every((word) => word && !word.includes("[redacted: ")))
      );
    };
    /** @param {[string, Fact[]][]} chosen */
    const titles = (chosen) => chosen.map(([title]) => title.toLowerCase()).join(", ");
    return { same: titles(alike.filter(isKnown)), open: titles(alike.filter((part) => !isKnown(part))) };
  };

  /**
   * The table of what differs, with a button that shows all.
   * @param {Runs} data
   * @param {number[]} rows
   * @param {Compared | null} compared
   * @param {(label: string, lines: Node[]) => HTMLElement} tableOf
   */
  const differing = (data, rows, compared, tableOf) => {
    const parts = factsOf(data, rows, compared);
    const all = parts.reduce((count, [, facts]) => count + facts.length, 0);
    const apart = parts.reduce((count, [, facts]) => count + facts.filter(differs).length, 0);
    const { one } = differences(data, rows);
    const { same, open } = unmarked(parts);
    const holder = element("div");
    let whole = false;
    const draw = () => {
      const lines = parts.flatMap(([title, facts]) => {
        const shown = whole ? facts : facts.filter(differs);
        return shown.length
          ? [
              element(
                "tr",
                { class: "lg-part" },
                element("th", { colspan: rows.length + 1, scope: "colgroup" }, element("span", {}, title)),
              ),
              ...shown.map((each) =>
                element(
                  "tr",
                  { class: whole && differs(each) ? "lg-differs" : null },
                  element("th", { scope: "row" }, title === "Params" ? element("code", {}, each.name) : each.name),
                  ...each.cells.map((cell) => element("td", {}, cell)),
                ),
              ),
            ]
          : [];
      });
      const toggle = element(
        "button",
        {
          type: "button",
          class: "lg-button",
          onclick: () => {
            whole = !whole;
            draw();
            holder.querySelector("button")?.focus();
          },
        },
        whole ? `Only the ${apart} that differ` : `All ${all}`,
      );
      holder.replaceChildren(
        tableOf("What differs", lines),
        element(
          "p",
          { class: "lg-small" },
          [same ? `The same in all: ${same}.` : "", open ? `Not known well enough to say so: ${open}.` : ""]
            .filter(Boolean)
            .join(" "),
        ),
        element("div", { class: "lg-bar-tools" }, toggle),
      );
    };
    draw();
    const code = parts.find(([title]) => title === "Code")?.[1] ?? [];
    return [
      element(
        "h2",
        {},
        "What differs ",
        element("small", {}, one && rows.length > 1 ? "by seed only" : `${apart} of ${all}`),
      ),
      holder,
      rows.length > 1 && code.some(differs)
        ? element(
            "p",
            { class: "lg-small" },
            "The files that differ, and the way to read them: ",
            element(
              "code",
              {},
              `ledger compare ${rows
                .slice(0, 2)
                .map((row) => data.id[row])
                .join(" ")}`,
            ),
          )
        : "",
    ];
  };

  Object.assign(globalThis, { ledgerDiffering: { differing } });
})();
