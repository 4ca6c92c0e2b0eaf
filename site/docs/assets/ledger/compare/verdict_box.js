// @ts-check
/* The box on top: each metric of the reference against each of the other settings, with the verdict of `ledger judge`. */
"use strict";
(() => {
  const { element, number } = window.ledger;
  const { mean, verdictOn } = window.ledgerVerdict;
  const { metricHead, scrollTable } = window.ledgerCompareParts;

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

  /** The run of a setting that has a value and counts, else one that has a value, else its first. @param {Runs} data @param {ChosenSetting} setting @param {Metric} metric */
  const rowIn = (data, { rows }, metric) => {
    const having = rows.filter((row) => metric.values[row] !== null);
    return having.find((row) => data.counts(row)) ?? having[0] ?? rows[0];
  };

  /**
   * What the reference and another setting measured, in the order in which it is read: headline first, and results
   * before what is none: training, unknown data, no direction.
   * @param {Runs} data
   * @param {ChosenSetting} own
   * @param {ChosenSetting[]} others
   */
  const measured = (data, own, others) => {
    /** @param {Metric} metric @param {ChosenSetting} setting */
    const has = (metric, setting) => metric.values[rowIn(data, setting, metric)] !== null;
    const there = data.metrics.filter((metric) => has(metric, own) && others.some((other) => has(metric, other)));
    /** @param {Metric} metric */
    const isResult = (metric) => Boolean(metric.known && metric.direction) && !isTraining(data, metric);
    const headline = data.metrics[data.headline[own.rows[0]]];
    const results = there.filter(isResult);
    return {
      results: [...results.filter((each) => each === headline), ...results.filter((each) => each !== headline)],
      rest: there.filter((each) => !isResult(each)),
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
   * @param {ChosenSetting} own
   */
  const cellOf = (data, metric, group, setting, own) => {
    const row = rowIn(data, setting, metric);
    const apart = metric.values[row] === null ? elsewhere(data, metric, row) : [];
    const verdict = verdictOn(data, metric, group, row, rowIn(data, own, metric));
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

  /** The mean of the reference. @param {Runs} data @param {Metric} metric @param {GroupValues | undefined} group @param {ChosenSetting} own */
  const referenceCell = (data, metric, group, own) => {
    const listed = group?.repeated.find(({ setting }) => setting === data.setting[own.rows[0]])?.values;
    const value = metric.values[rowIn(data, own, metric)];
    const shown = metric.known && listed?.length ? listed : value === null ? [] : [value];
    return element(
      "td",
      { "data-label": `${own.name}, the reference` },
      shown.length ? meanOf(shown) : element("span", { class: "lg-none" }, "not measured"),
    );
  };

  /**
   * The lines of some metrics, and the words of each of the other settings in them.
   * @param {Runs} data
   * @param {Metric[]} metrics
   * @param {ChosenSetting[]} settings the reference first
   * @param {Compared} compared
   */
  const linesOf = (data, metrics, [own, ...others], compared) => {
    const groups = new Map(compared.groups.map((group) => [group.id, group]));
    const judged = metrics.map((metric) => ({
      metric,
      cells: others.map((setting) => cellOf(data, metric, groups.get(metric.id), setting, own)),
    }));
    return {
      lines: judged.map(({ metric, cells }) =>
        element(
          "tr",
          {},
          metricHead(metric),
          referenceCell(data, metric, groups.get(metric.id), own),
          ...cells.map(({ cell }) => cell),
        ),
      ),
      words: others.map((_, at) => judged.map(({ cells }) => cells[at].word)),
    };
  };

  /**
   * @param {Runs} data
   * @param {ChosenSetting[]} settings the reference first
   * @param {Compared | null} compared none where it cannot be loaded
   */
  const verdictBox = (data, settings, compared) => {
    const [own, ...others] = settings;
    if (!others.length) return [];
    const title = element("h2", {}, "Verdicts ", element("small", {}, `against ${own.name}`));
    if (!compared) {
      const why = "The verdicts are of another build of this site, or cannot be loaded: load the page again.";
      return [title, element("p", { class: "lg-callout" }, why)];
    }
    const { results, rest } = measured(data, own, others);
    const told = linesOf(data, results, settings, compared);
    const more = linesOf(data, rest, settings, compared);
    /** @param {string} label @param {Node[]} lines @param {string[]} sums */
    const table = (label, lines, sums) => {
      const heads = others.map(({ name }, at) => [name, element("small", {}, sums[at])]);
      return scrollTable(
        label,
        [["Metric"], [own.name, element("small", {}, "the reference")], ...heads],
        lines,
        "lg-verdicts",
      );
    };
    const judge = `ledger judge ${data.id[others[0].rows[0]]} --against ${data.id[own.rows[0]]}`;
    return [
      title,
      results.length
        ? table("Verdicts", told.lines, told.words.map(counted))
        : element("p", { class: "lg-none" }, "The reference and the others have no result that was measured alike."),
      rest.length
        ? element(
            "details",
            { class: "lg-fold" },
            element(
              "summary",
              {},
              `${rest.length} more that are no results: measured in training or on unknown data, or nobody said which way is better`,
            ),
            table("Other values", more.lines, []),
          )
        : "",
      element(
        "p",
        { class: "lg-small" },
        "A verdict is about settings: it counts all their repeats, those not shown here too. In brackets stands where the true change lies in 90 of 100 cases; what is asked for is an improvement as large as the noise. ",
        element("code", {}, judge),
        " gives the numbers behind it, and how many repeats would settle it.",
      ),
    ];
  };

  Object.assign(globalThis, { ledgerVerdictBox: { isTraining, verdictBox } });
})();
