// @ts-check
/* Compares the runs that the address names: the verdicts, what differs, what came out, and the curves. */
"use strict";
(() => {
  const { element } = window.ledger;
  const { MOST, named, settingsOf, summary } = window.ledgerComparison;
  const { showCurves } = window.ledgerCompareCurves;
  const { verdictBox } = window.ledgerVerdictBox;
  const { differing } = window.ledgerDiffering;
  const { results } = window.ledgerResults;
  const { scrollTable } = window.ledgerCompareParts;
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-compare]"));
  if (!place) return;

  /**
   * The field that adds a run: by its id, or by a query.
   * @param {Runs} data
   * @param {() => number[]} chosen
   * @param {(row: number) => void} add
   */
  const adder = (data, chosen, add) => {
    const field = element("input", {
      type: "search",
      class: "lg-field",
      list: "lg-ids",
      placeholder: "Add a run: id, word, lr=0.01",
      "aria-label": "Add a run",
    });
    const ids = element("datalist", { id: "lg-ids" });
    const trouble = element("small", { role: "status" });
    /** @param {string} text @param {() => void} again */
    const search = (text, again) => {
      const answer = window.ledger.ask(data, text, again);
      trouble.textContent = answer.error || "";
      return answer.rows || [];
    };
    const addFirst = () => {
      const text = field.value.trim();
      const hit = data.byId.get(text) ?? search(text, addFirst).find((row) => !chosen().includes(row));
      if (!text || hit === undefined || chosen().length >= MOST) return;
      field.value = "";
      add(hit);
      field.focus();
    };
    const offer = () => {
      ids.replaceChildren(
        ...search(field.value, offer)
          .slice(0, 12)
          .map((row) =>
            element("option", { value: data.id[row] }, `${data.word(data.experiment, row)} · ${data.name[row]}`),
          ),
      );
      if (data.byId.has(field.value.trim())) addFirst();
    };
    field.addEventListener("input", offer);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        addFirst();
      }
    });
    return element("div", { class: "lg-bar-tools" }, field, ids, trouble);
  };

  /** @param {Runs} data @param {Compared | null} compared */
  const start = (data, compared) => {
    /** @type {number[]} */
    let rows = [];
    /** @type {string[]} */
    let left = [];
    /** @type {string[]} */
    let missing = [];
    /** @type {number | undefined} */
    let pinned;
    const readHash = () => {
      ({ rows, left, missing } = named(data, window.ledger.hash().get("runs") || "", MOST));
      [pinned] = named(data, window.ledger.hash().get("reference") || "", 1).rows;
      if (pinned !== undefined && !rows.includes(pinned)) pinned = undefined;
    };
    /** @param {number[]} next @param {number | undefined} reference */
    const change = (next, reference) => {
      rows = next;
      pinned = reference !== undefined && next.includes(reference) && reference !== next[0] ? reference : undefined;
      left = [];
      missing = [];
      window.ledger.setHash({
        runs: rows.map((row) => data.id[row]).join(),
        reference: pinned === undefined ? "" : data.id[pinned],
      });
      refresh();
    };

    const chips = element("div", { class: "lg-bar-tools" });
    const body = element("div");

    /** @param {number} row */
    const chip = (row) => {
      const reference = row === (pinned ?? rows[0]);
      return element(
        "span",
        { class: reference ? "lg-chip lg-chip-pinned" : "lg-chip" },
        element(
          "button",
          {
            type: "button",
            class: "lg-pin",
            "aria-pressed": String(reference),
            "aria-label": `Compare with ${data.id[row]} as the reference`,
            title: reference ? "the reference" : "compare with this one as the reference",
            onclick: () => {
              change(rows, row);
              /** @type {HTMLElement | null} */ (chips.querySelector('[aria-pressed="true"]'))?.focus();
            },
          },
          reference ? "◉" : "○",
        ),
        element("a", { title: data.id[row], href: window.ledger.url(data.page(row)) }, data.name[row]),
        element(
          "button",
          {
            type: "button",
            "aria-label": `Remove ${data.id[row]}`,
            onclick: () =>
              change(
                rows.filter((each) => each !== row),
                pinned,
              ),
          },
          "×",
        ),
      );
    };

    /** The reference first, and the repeats of a setting side by side. */
    const ordered = () => {
      const first = pinned ?? rows[0];
      const settings = settingsOf(data, [first, ...rows.filter((row) => row !== first)]);
      return { settings, columns: settings.flatMap((setting) => setting.rows) };
    };

    /** @param {number[]} columns @returns {(label: string, lines: Node[]) => HTMLElement} */
    const tableWith = (columns) => (label, lines) => {
      const runs = columns.map((row) => [
        element("a", { title: data.id[row], href: window.ledger.url(data.page(row)) }, data.name[row]),
      ]);
      return scrollTable(label, [[element("span", { class: "lg-sr" }, "What")], ...runs], lines);
    };

    const sentence = () => {
      const said = summary(data, rows);
      if (left.length) said.unshift(`Only ${MOST} runs are compared at once; left out: ${left.join(", ")}.`);
      if (missing.length) said.unshift(`Not on this site: ${missing.join(", ")}.`);
      return said.length ? element("p", { class: "lg-callout", "data-apart": true }, said.join(" ")) : "";
    };

    const refresh = () => {
      chips.replaceChildren(...rows.map(chip));
      if (!rows.length) {
        const table = element("a", { href: window.ledger.url("runs/index.html") }, "table of runs");
        const ask = " or add them above. The address of this page then names them and can be shared.";
        body.replaceChildren(sentence(), element("p", {}, "Choose runs in the ", table, ask));
        place.dataset.ready = "true";
        return;
      }
      const { settings, columns } = ordered();
      const holder = element("div");
      const tableOf = tableWith(columns);
      body.replaceChildren(
        sentence(),
        ...verdictBox(data, settings, compared),
        ...differing(data, columns, compared, tableOf),
        ...results(data, columns, tableOf),
        element("h2", {}, "Learning curves"),
        holder,
      );
      showCurves(holder, data, settings).then(() => {
        place.dataset.ready = "true";
      });
    };

    const add = adder(
      data,
      () => rows,
      (row) => change([...new Set([...rows, row])], pinned),
    );
    place.replaceChildren(add, chips, body);
    window.addEventListener("hashchange", () => {
      readHash();
      refresh();
    });
    readHash();
    refresh();
  };

  Promise.all([window.ledger.runs(), window.ledger.comparison().catch(() => null)])
    .then(([data, compared]) => {
      const same = compared && compared.rows === data.rows && compared.newest === (data.id[0] ?? "");
      start(data, same ? compared : null);
    })
    .catch((error) => {
      place.replaceChildren(element("p", { class: "lg-callout" }, error.message));
    });
})();
