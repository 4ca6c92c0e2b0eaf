// @ts-check
/* The columns that the table of runs can show: name, value to sort by, and cell. */
"use strict";
(() => {
  const { element, number, duration, money, minute, badge } = window.ledger;

  /**
   * The columns, in their order in the menu.
   * @param {Runs} data
   * @returns {RunColumn[]}
   */
  const columnsOf = (data) => {
    /** @param {number} row */
    const tags = (row) => data.tags.codes[row].map((code) => data.tags.words[code]);
    /** @type {RunColumn[]} */
    const columns = [
      {
        id: "status",
        title: "Status",
        css: "lg-k-side",
        value: (row) => data.word(data.status, row),
        cell: (row) => badge(data.word(data.status, row)),
      },
      {
        id: "experiment",
        title: "Experiment",
        css: "lg-name-cell lg-k-name",
        value: (row) => data.word(data.experiment, row).toLowerCase(),
        cell: (row) =>
          element(
            "a",
            { href: window.ledger.url(data.pages[data.experiment.codes[row]]) },
            data.word(data.experiment, row),
          ),
      },
      {
        id: "started",
        title: "Started (UTC)",
        css: "lg-nowrap lg-k-when",
        value: (row) => data.started[row],
        cell: (row) => minute(data.started[row]),
      },
      {
        id: "duration",
        title: "Duration",
        css: "lg-right lg-nowrap lg-k-when",
        value: (row) => data.duration[row],
        cell: (row) =>
          data.duration[row] === null
            ? element("span", { class: "lg-unknown" }, "unknown", element("span", { class: "lg-phone" }, " duration"))
            : duration(data.duration[row]),
      },
      {
        id: "author",
        title: "Author",
        label: "by",
        css: "lg-nowrap lg-desk",
        value: (row) => data.word(data.author, row).toLowerCase(),
        cell: (row) => data.word(data.author, row),
      },
      {
        id: "cost",
        title: "Cost",
        label: "cost",
        css: "lg-right lg-nowrap lg-desk",
        value: (row) => data.cost[row],
        cell: (row) => money(data, row),
      },
      {
        id: "tags",
        title: "Tags",
        label: "tags",
        value: (row) => tags(row).join(" "),
        cell: (row) => {
          const all = document.createElement("span");
          for (const tag of tags(row)) all.append(element("span", { class: "lg-tag" }, tag), " ");
          return all;
        },
      },
      {
        id: "commit",
        title: "Commit",
        label: "commit",
        css: "lg-nowrap",
        value: (row) => data.word(data.commit, row),
        cell: (row) => element("code", {}, data.word(data.commit, row)),
      },
      {
        id: "note",
        title: "Note",
        label: "note",
        css: "lg-name-cell",
        value: (row) => data.word(data.note, row).toLowerCase(),
        cell: (row) => data.word(data.note, row),
      },
    ];
    data.metrics.forEach((metric, at) => {
      columns.push({
        id: `m.${metric.id}`,
        group: "Metrics",
        title: metric.key,
        sub: metric.dataset,
        detail: metric.evaluator,
        label: `${metric.key} on ${metric.dataset}`,
        css: at < 2 ? "lg-right lg-desk" : "lg-right",
        value: (row) => metric.values[row],
        cell: (row) =>
          metric.values[row] === null
            ? element("span", { class: "lg-none", title: "not measured here" }, "–")
            : element("span", { title: String(metric.values[row]) }, number(metric.values[row])),
        better: metric.direction,
      });
    });
    data.params.forEach((param) => {
      columns.push({
        id: `p.${param.name}`,
        group: "Params",
        title: param.name,
        label: param.name,
        css: "lg-right",
        value: (row) => {
          const word = data.word(param, row);
          const as = Number(word);
          return word === "" ? null : Number.isNaN(as) ? word.toLowerCase() : as;
        },
        cell: (row) => {
          const word = data.word(param, row);
          return word ? element("code", {}, word.length > 40 ? `${word.slice(0, 39)}…` : word) : "";
        },
      });
    });
    return columns;
  };

  /** Ids of the columns that are shown until a reader chooses others. @param {Runs} data */
  const usualOf = (data) => [
    "status",
    "experiment",
    "started",
    "duration",
    ...data.shown_params.map((name) => `p.${name}`),
    ...data.metrics.slice(0, 2).map((metric) => `m.${metric.id}`),
    "cost",
    ...(data.author.words.length > 1 ? ["author"] : []),
  ];

  Object.assign(globalThis, { ledgerRunColumns: { columnsOf, usualOf } });
})();
