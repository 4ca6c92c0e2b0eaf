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
    /** A field that has one text a run. @param {string} name @param {number} row */
    const fieldOf = (name, row) => {
      const field = data.fields.find((one) => one.name === name);
      const code = field?.codes.length ? field.codes[row] : field?.values.length ? 0 : -1;
      return field && code >= 0 ? String(field.values[code]) : "";
    };
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
        plain: (row) => data.word(data.experiment, row),
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
        plain: (row) => new Date(data.started[row] * 1000).toISOString().replace(".000", ""),
        cell: (row) => minute(data.started[row]),
      },
      {
        id: "duration",
        title: "Duration",
        css: "lg-right lg-nowrap lg-k-when",
        kind: "amount",
        shown: (value) => duration(value),
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
        plain: (row) => data.word(data.author, row),
        cell: (row) => data.word(data.author, row),
      },
      {
        id: "cost",
        title: "Cost",
        label: "cost",
        css: "lg-right lg-nowrap lg-desk",
        // Of amounts in several currencies there is no mean.
        kind: data.currency.words.length > 1 ? undefined : "amount",
        shown: (value) => window.ledgerFormatting.money(value, data.currency.words[0] || ""),
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
        plain: (row) => data.word(data.note, row),
        cell: (row) => data.word(data.note, row),
      },
      {
        id: "trained",
        title: "Trained on",
        label: "trained on",
        css: "lg-nowrap",
        value: (row) => data.word(data.trained, row),
        cell: (row) => data.word(data.trained, row),
      },
      {
        id: "seed",
        title: "Seed",
        label: "seed",
        css: "lg-right",
        value: (row) => (data.word(data.seed, row) === "" ? null : Number(data.word(data.seed, row))),
        cell: (row) => data.word(data.seed, row),
      },
      {
        id: "parent",
        title: "Parent",
        label: "parent",
        css: "lg-nowrap",
        value: (row) => fieldOf("parent", row),
        cell: (row) => {
          const parent = fieldOf("parent", row);
          const at = data.byId.get(parent);
          return at === undefined
            ? parent
            : element("a", { class: "lg-id", href: window.ledger.url(data.page(at)) }, parent);
        },
      },
      {
        id: "gpus",
        title: "GPUs",
        group: "Hardware",
        label: "on",
        css: "lg-nowrap",
        value: (row) => data.word(data.gpus, row),
        cell: (row) => data.word(data.gpus, row),
      },
      {
        id: "host",
        title: "Host",
        group: "Hardware",
        label: "host",
        css: "lg-nowrap",
        value: (row) => fieldOf("host", row),
        cell: (row) => fieldOf("host", row),
      },
      {
        id: "energy",
        title: "Energy (kWh)",
        group: "Hardware",
        label: "kWh",
        css: "lg-right lg-nowrap",
        kind: "amount",
        value: (row) => data.energy[row],
        cell: (row) => (data.energy[row] === null ? "" : number(data.energy[row])),
      },
    ];
    data.metrics.forEach((metric) => {
      columns.push({
        id: `m.${metric.id}`,
        group: "Metrics",
        title: metric.key,
        sub: metric.dataset,
        detail: metric.evaluator,
        label: `${metric.key} on ${metric.dataset}`,
        css: data.shown_metrics.includes(metric.id) ? "lg-right lg-desk" : "lg-right",
        // Values on unknown data are comparable with nothing: not even a mean is allowed.
        kind: metric.known ? "result" : undefined,
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
        plain: (row) => {
          const word = data.word(param, row);
          return word !== "" && !Number.isNaN(Number(word)) ? Number(word) : word;
        },
        cell: (row) => {
          const word = data.word(param, row);
          return word ? element("code", {}, word.length > 40 ? `${word.slice(0, 39)}…` : word) : "";
        },
      });
    });
    return columns;
  };

  /** A result comes first and then what tells runs apart: a narrow window shows both. @param {Runs} data */
  const usualOf = (data) => [
    ...new Set(data.shown_metrics.map((id) => `m.${id}`)),
    ...data.shown_params.map((name) => `p.${name}`),
    "status",
    "experiment",
    "started",
    "duration",
    "cost",
    ...(data.author.words.length > 1 ? ["author"] : []),
  ];

  /** The order of the first click on a heading: best, latest and largest first. @param {RunColumn} column */
  const firstOf = (column) =>
    column.better === "higher" || ["started", "duration", "cost", "energy"].includes(column.id)
      ? `-${column.id}`
      : column.id;

  /** A heading in one line, as files and lists name it. @param {RunColumn} column */
  const titleOf = (column) =>
    column.title + (column.sub ? ` on ${column.sub}` : "") + (column.detail ? ` by ${column.detail}` : "");

  Object.assign(globalThis, { ledgerRunColumns: { columnsOf, usualOf, firstOf, titleOf } });
})();
