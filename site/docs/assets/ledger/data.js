// @ts-check
/* Loads data as scripts (pages opened from a folder may not fetch).
   Everything in it came from records: it is only ever put on a page as text, never as markup. */
"use strict";
(() => {
  const root = window.__md_scope;
  const { arrive, load } = window.ledgerLoader((path, failed) => {
    const script = document.createElement("script");
    script.src = new URL(path, root).href;
    script.onerror = failed;
    document.head.append(script);
  });
  window.ledgerData = arrive;

  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag
   * @param {Record<string, unknown>} attributes listeners by `on` and their event; what is false, null or undefined is left out
   * @param {(Node | string | null | undefined)[]} children
   * @returns {HTMLElementTagNameMap[Tag]}
   */
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };

  /** Files of some parts of the runs: `table`, `numbers` or `facts`. @param {string} kind @param {{name: string}[]} parts */
  const files = (kind, parts) =>
    Promise.all(
      parts.map(({ name }) => load(`${kind === "table" ? "runs" : kind}:${name}`, `data/${kind}/${name}.js`)),
    ).catch((error) => {
      throw new Error(`${error.message}: the site was built anew, load this page again`);
    });

  /** @type {Promise<Runs> | null} */
  let whole = null;
  /** @type {Runs | null} */
  let prepared = null;
  const runs = () => {
    whole ??= load("runs", "data/runs.js").then(async (head) => {
      prepared = window.ledgerColumns.whole(head, await files("table", head.parts));
      return prepared;
    });
    whole.catch(() => {
      whole = null;
    });
    return whole;
  };
  /* The newest runs alone, which are there before all others. */
  const newestRuns = async () => {
    const head = await load("runs", "data/runs.js");
    const parts = head.parts.slice(0, 1);
    return head.parts.length > 1 ? window.ledgerColumns.whole({ ...head, parts }, await files("table", parts)) : runs();
  };

  const { number, duration, minute } = window.ledgerFormatting;

  /** @param {Runs} data @param {number} row */
  const money = (data, row) => {
    const amount = data.cost[row],
      currency = data.word(data.currency, row);
    if (amount === null) return element("span", { class: "lg-unknown" }, "unknown");
    return element(
      "span",
      { class: "lg-nowrap", title: `${amount} ${currency}` },
      window.ledgerFormatting.money(amount, currency),
    );
  };

  /** @type {Record<string, string>} */
  const icons = {
    finished: "M5 10.5l3.2 3.2L15 6.8",
    failed: "M6 6l8 8M14 6l-8 8",
    interrupted: "M7.5 5.5v9M12.5 5.5v9",
    killed: "M11 3l-5 8h3.5L8.5 17 14 9h-3.5z",
    preempted: "M5 6l5 4-5 4zM12 6v8M15 6v8",
    pruned: "M5 5l4 5-4 5M15 5l-4 5 4 5",
    lost: "M7.5 7.5a2.6 2.6 0 1 1 3.7 2.700c-.8.4-1.200.9-1.200 1.800M10 15v.2",
    running: "M10 5v5l3.2 2",
    retracted: "M4.5 10h11M7 6.5h6M7 13.5h6",
    continued: "M4 5l5 5-5 5M10.5 5l5 5-5 5",
  };
  /** @param {string} status */
  const badge = (status) => {
    const made = element("span", { class: `lg-badge lg-s-${status}` });
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 20 20");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", icons[status] || icons.lost);
    svg.append(path);
    made.append(svg, status);
    return made;
  };

  const hash = () => new URLSearchParams(location.hash.slice(1));
  /** @param {Record<string, any>} values */
  const setHash = (values) => {
    const text = new URLSearchParams(
      Object.entries(values).filter(([, value]) => value !== "" && value !== null),
    ).toString();
    history.replaceState(
      null,
      "",
      text ? `#${text.replaceAll("%2C", ",").replaceAll("%2F", "/")}` : location.pathname + location.search,
    );
  };

  /* What a filter finds. `rows` is null where it cannot be read, for which `error` says why, and where the numbers that it
     compares are not here yet: then `again` is called when they are. */
  /** @type {WeakMap<Runs, unknown>} */
  const numbers = new WeakMap();
  /** @type {WeakMap<Runs, Promise<void>>} */
  const coming = new WeakMap();
  /** @type {string | null} */
  let unreachable = null;
  /**
   * @param {Runs} data
   * @param {string} text
   * @param {() => void} again
   * @returns {Answer}
   */
  const ask = (data, text, again) => {
    const nothing = { rows: null, words: [], fields: [], warnings: [], error: null };
    try {
      const answer = window.ledgerQuery.ask(data, text, numbers.get(data) ?? null);
      if (answer.rows !== null || unreachable) return { ...answer, error: answer.rows === null ? unreachable : null };
      const wait =
        coming.get(data) ??
        files("numbers", data.parts).then(
          (parts) => {
            numbers.set(data, window.ledgerColumns.numbers(parts));
          },
          (error) => {
            unreachable = error.message;
          },
        );
      coming.set(data, wait);
      wait.then(again);
      return { ...answer, error: null };
    } catch (error) {
      const { message, at } = /** @type {Error & {at?: number}} */ (error);
      return { ...nothing, error: message, at };
    }
  };

  /* Runs without a page of their own stand together in files, each of which begins with an id of a list in their order. */
  /** @param {string} id @returns {Promise<OlderRun | null>} null where it is none of these */
  const older = async (id) => {
    const firsts = /** @type {string[]} */ (await load("older", "data/older.js"));
    const number = firsts.filter((first) => first <= id).length - 1;
    if (number < 0) return null;
    const packed = await load(`older:${number}`, `data/older/${number}.js`);
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    /** @type {{lines: string[], runs: Record<string, {title: string, content: number[], toc: number[], curves: Curves | null}>}} */
    const { lines, runs } = await new Response(stream).json();
    if (!Object.hasOwn(runs, id)) return null;
    /** @param {number[]} numbers */
    const textOf = (numbers) => numbers.map((at) => lines[at]).join("\n");
    const { title, content, toc, curves } = runs[id];
    return { title, content: textOf(content), toc: textOf(toc), curves };
  };

  /** @param {string} id */
  const curves = async (id) => {
    const row = prepared?.byId.get(id);
    if (prepared && row !== undefined && prepared.isOlder(row)) {
      const run = await older(id);
      if (!run?.curves) throw new Error(`no curves of ${id}`);
      return run.curves;
    }
    return load(`curves:${id}`, `data/curves/${id}.js`);
  };
  const handbook = () => load("handbook", "data/handbook.js");
  const pages = () => load("pages", "data/pages.js");
  /* What verdicts are based on, with the software and machines of all runs. */
  const comparison = async () => {
    const [told, { parts }] = await Promise.all([load("comparison", "data/comparison.js"), runs()]);
    return { ...told, ...window.ledgerColumns.facts(await files("facts", parts)) };
  };
  /** @param {string} path */
  const url = (path) => new URL(path, root).href;

  window.ledger = {
    runs,
    newestRuns,
    curves,
    older,
    arrive,
    comparison,
    handbook,
    pages,
    ask,
    element,
    number,
    duration,
    money,
    minute,
    badge,
    hash,
    setHash,
    url,
  };
})();
