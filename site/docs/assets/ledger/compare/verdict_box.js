// @ts-check
/* The box on top: each metric of the reference against each of the other settings, with the verdict of `ledger judge`. */
"use strict";
(() => {
  const { element, number } = window.ledger;
  const { mean, verdictOn } = window.ledgerVerdict;

  /** @type {Record<string, string>} */
  const LOOKS = {
    better: "lg-v-better",
    worse: "lg-v-worse",
    "within noise": "lg-v-noise",
    "cannot tell": "lg-v-open",
    "not comparable": "lg-v-none",
  };
  const ORDER = Object.keys(LOOKS);

  /** @param {Runs} data @param {Metric} metric */
  const isTraining = (data, metric) => {
    const [split, ...rest] = metric.key.toLowerCase().split("/");
    return rest.length > 0 && (data.splits[split] ?? split) === "train";
  };

  /** @param {number | null} value */
  const signed = (value) => (value === null ? "" : `${value > 0 ? "+" : ""}${number(value, 3)}`);

  /** A change of the value itself, whichever way is better. @param {Metric} metric @param {Verdict} verdict */
  const changeOf = (metric, { effect, low, high }) => {
    const sign = metric.direction === "lower" ? -1 : 1;
    const [from, to] = sign < 0 ? [high, low] : [low, high];
    /** @param {number | null} value */
    const turned = (value) => (value === null ? null : sign * value);
    return { by: turned(effect), from: turned(from), to: turned(to) };
  };

  /** @param {number[]} values */
  const meanOf = (values) =>
    element(
      "span",
      { class: "lg-nowrap", title: values.map(String).join(", ") },
      number(mean(values)),
      element("small", {}, ` n ${values.length}`),
    );

  /**
   * What the reference measured, in the order in which it is read: results before training, with a direction before without.
   * @param {Runs} data
   * @param {number[]} rows
   * @param {number} reference
   */
  const measured = (data, rows, reference) => {
    const there = data.metrics.filter(
      ({ values }) => values[reference] !== null && rows.some((row) => row !== reference && values[row] !== null),
    );
    /** @param {Metric} metric */
    const isResult = (metric) => Boolean(metric.known && metric.direction) && !isTraining(data, metric);
    const headline = data.metrics[data.headline[reference]];
    const results = there.filter(isResult);
    return {
      results: [...results.filter((each) => each === headline), ...results.filter((each) => each !== headline)],
      others: there.filter((each) => !isResult(each)),
    };
  };

  /** @param {Runs} data @param {Metric} metric @param {number} row */
  const elsewhere = (data, metric, row) =>
    data.metrics
      .filter(({ key, id, values }) => key === metric.key && id !== metric.id && values[row] !== null)
      .map(({ dataset, evaluator }) => dataset + (evaluator ? ` by ${evaluator}` : ""));

  /**
   * @param {Runs} data
   * @param {Metric} metric
   * @param {GroupValues | undefined} group
   * @param {ChosenSetting} setting
   * @param {number} reference
   */
  const cellOf = (data, metric, group, setting, reference) => {
    const row = setting.rows.find((each) => metric.values[each] !== null) ?? setting.rows[0];
    const apart = metric.values[row] === null ? elsewhere(data, metric, row) : [];
    const verdict = verdictOn(data, metric, group, row, reference);
    const why = apart.length ? `measured on ${apart.join(" and on ")}` : verdict.why;
    const { by, from, to } = changeOf(metric, verdict);
    const band = from === null ? "" : ` (${signed(from)} to ${signed(to)})`;
    return {
      word: verdict.word,
      cell: element(
        "td",
        { class: "lg-v-cell", "data-label": setting.name },
        element("span", { class: `lg-v ${LOOKS[verdict.word]}` }, verdict.word),
        by === null ? null : element("strong", { class: "lg-nowrap" }, signed(by)),
        band
          ? element("small", { class: "lg-nowrap", title: "in 90 of 100 cases the true change is in here" }, band)
          : null,
        verdict.ours.length ? element("span", { class: "lg-v-mean" }, "mean ", meanOf(verdict.ours)) : null,
        element("small", { class: "lg-v-why" }, why),
      ),
    };
  };

  /** @param {string[]} words */
  const counted = (words) =>
    ORDER.map((word) => [word, words.filter((each) => each === word).length])
      .filter(([, count]) => count)
      .map(([word, count]) => `${word} ${count}`)
      .join(", ");

  /**
   * @param {Runs} data
   * @param {ChosenSetting[]} settings the reference first
   * @param {Compared | null} compared none where it cannot be loaded
   */
  const verdictBox = (data, settings, compared) => {
    const [own, ...others] = settings;
    const reference = own.rows[0];
    if (!others.length) return [];
    if (!compared)
      return [
        element(
          "p",
          { class: "lg-callout" },
          "The verdicts are of another build of this site, or cannot be loaded: load the page again.",
        ),
      ];
    const { results, others: rest } = measured(
      data,
      settings.flatMap(({ rows }) => rows),
      reference,
    );
    const groups = new Map(compared.groups.map((group) => [group.id, group]));
    /** @type {string[][]} */
    const words = others.map(() => []);
    /** @param {Metric} metric */
    const line = (metric) =>
      element(
        "tr",
        {},
        element(
          "th",
          { scope: "row" },
          element(
            metric.page ? "a" : "span",
            { href: metric.page ? window.ledger.url(metric.page) : null },
            metric.key + (metric.direction === "higher" ? " ↑" : metric.direction === "lower" ? " ↓" : ""),
          ),
          element("small", {}, `on ${metric.dataset}${metric.evaluator ? `, ${metric.evaluator}` : ""}`),
        ),
        element(
          "td",
          { "data-label": `${own.name}, the reference` },
          referenceMean(data, metric, groups.get(metric.id), own),
        ),
        ...others.map((setting, at) => {
          const { word, cell } = cellOf(data, metric, groups.get(metric.id), setting, reference);
          words[at].push(word);
          return cell;
        }),
      );
    const lines = results.map(line);
    const sums = words.map((each) => counted(each));
    const restLines = rest.map(line);
    /** @param {HTMLElement[]} shown @param {string} label */
    const table = (shown, label) =>
      element(
        "div",
        { class: "lg-scroll", tabindex: "0", role: "region", "aria-label": label },
        element(
          "table",
          { class: "lg-table lg-compare lg-verdicts" },
          element(
            "thead",
            {},
            element(
              "tr",
              {},
              element("th", { scope: "col" }, "Metric"),
              element("th", { scope: "col" }, own.name, element("small", {}, "the reference")),
              ...others.map(({ name }, at) =>
                element(
                  "th",
                  { scope: "col" },
                  name,
                  element("small", {}, label === "Verdicts" ? sums[at] || "nothing to judge" : ""),
                ),
              ),
            ),
          ),
          element("tbody", {}, ...shown),
        ),
      );
    const judged = others[0].rows[0];
    return [
      element("h2", {}, "Verdicts ", element("small", {}, `against ${own.name}`)),
      lines.length
        ? table(lines, "Verdicts")
        : element("p", { class: "lg-none" }, "The reference and the others have no result that was measured alike."),
      ...(restLines.length
        ? [
            element(
              "details",
              { class: "lg-fold" },
              element("summary", {}, `${restLines.length} more: training, unknown data, or no direction`),
              table(restLines, "Other values"),
            ),
          ]
        : []),
      element(
        "p",
        { class: "lg-small" },
        "A verdict is about settings: it counts all their repeats, those not shown here too. ",
        element("code", {}, `ledger judge ${data.id[judged]} --against ${data.id[reference]}`),
        " gives the numbers behind it, and how many repeats would settle it.",
      ),
    ];
  };

  /** @param {Runs} data @param {Metric} metric @param {GroupValues | undefined} group @param {ChosenSetting} own */
  const referenceMean = (data, metric, group, own) => {
    const listed = group?.repeated.find(({ setting }) => setting === data.setting[own.rows[0]])?.values;
    const value = metric.values[own.rows[0]];
    if (metric.known && listed?.length) return meanOf(listed);
    return value === null ? element("span", { class: "lg-none" }, "not measured") : meanOf([value]);
  };

  Object.assign(globalThis, { ledgerVerdictBox: { isTraining, verdictBox } });
})();
