// @ts-check
/* Verdicts on two settings, as `ledger judge` gives them: `ledger/analysis/judging/verdict.py` and `judgement.py` are
   what counts, where every rule has its reason and its source. `test_verdict_script.py` asks both the same questions. */
"use strict";
(() => {
  const ALPHA = 0.05;
  const ENOUGH = 5;
  const FEWEST_FREEDOM = 3;

  /** Lanczos' approximation, g = 7 (Godfrey 2001): about 15 digits. */
  const LANCZOS = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];

  /** The logarithm of the gamma function. @param {number} x positive @returns {number} */
  const logGamma = (x) => {
    if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
    const sum = LANCZOS.slice(1).reduce((all, value, at) => all + value / (x + at), LANCZOS[0]);
    const base = x + 6.5;
    return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(sum);
  };

  /** The continued fraction of the incomplete beta function, by Lentz' way (DLMF 8.17.22). @param {number} a @param {number} b @param {number} x */
  const fraction = (a, b, x) => {
    const tiny = 1e-300;
    /** @param {number} value */
    const some = (value) => (Math.abs(value) < tiny ? tiny : value);
    let c = 1;
    let d = 1 / some(1 - ((a + b) * x) / (a + 1));
    let result = d;
    for (let m = 1; m <= 1000; m += 1) {
      const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
      d = 1 / some(1 + even * d);
      c = some(1 + even / c);
      result *= d * c;
      const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
      d = 1 / some(1 + odd * d);
      c = some(1 + odd / c);
      result *= d * c;
      if (Math.abs(d * c - 1) < 1e-15) break;
    }
    return result;
  };

  /** The regularised incomplete beta function I_x(a, b). @param {number} a @param {number} b @param {number} x @param {number} rest 1 - x @returns {number} */
  const beta = (a, b, x, rest) => {
    if (!(x > 0)) return 0;
    if (!(rest > 0)) return 1;
    if (x > (a + 1) / (a + b + 2)) return 1 - beta(b, a, rest, x);
    const front = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(rest);
    return (Math.exp(front) * fraction(a, b, x)) / a;
  };

  /** The probability of more than `t` under Student's law (DLMF 8.17.ii). @param {number} freedom @param {number} t */
  const tail = (freedom, t) => {
    if (!Number.isFinite(t)) return t > 0 ? 0 : 1;
    const all = freedom + t * t;
    const half = beta(freedom / 2, 0.5, freedom / all, (t * t) / all);
    return t > 0 ? half / 2 : 1 - half / 2;
  };

  /** How many standard errors have so much above them. @param {number} freedom @param {number} alpha below a half */
  const beyond = (freedom, alpha) => {
    let [low, high] = [0, 1];
    while (tail(freedom, high) > alpha) high *= 2;
    for (let step = 0; step < 200 && high - low > 1e-14 * high; step += 1) {
      const middle = (low + high) / 2;
      if (tail(freedom, middle) > alpha) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };

  /** @param {number[]} values */
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  /** Exactly 0 where all are equal. @param {number[]} values */
  const squares = (values) => {
    if (values.every((value) => value === values[0])) return 0;
    const middle = mean(values);
    return values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  };

  /** @param {number} errors */
  const cantelli = (errors) => (errors > 0 ? 1 / (1 + errors ** 2) : 1);

  /**
   * @param {number} own
   * @param {number} freedom
   * @param {{total: number, freedom: number}} others
   */
  const spreadsMore = (own, freedom, others) => {
    if (others.total <= 0) return own > 0;
    const ours = (own / others.total) * others.freedom;
    const all = others.freedom + ours;
    return beta(others.freedom / 2, freedom / 2, others.freedom / all, ours / all) < 0.05;
  };

  /**
   * The scale for a difference of means, or why there is none.
   * @param {number[]} ours
   * @param {number[]} theirs
   * @param {{total: number, freedom: number}} others
   */
  const scaleOf = (ours, theirs, others) => {
    const [n, m, mine, yours] = [ours.length, theirs.length, squares(ours), squares(theirs)];
    const fewer = Math.min(n, m);
    if (fewer >= ENOUGH && mine > 0 && yours > 0) {
      const [a, b] = [mine / (n - 1) / fewer, yours / (m - 1) / fewer];
      const freedom = (a + b) ** 2 / (a ** 2 / (n - 1) + b ** 2 / (m - 1));
      return { test: "welch", error: Math.sqrt(a + b), freedom, width: Math.sqrt(((a + b) * fewer) / 2) };
    }
    const [own, ownFreedom] = [mine + yours, n + m - 2];
    const apart = ownFreedom >= FEWEST_FREEDOM && spreadsMore(own, ownFreedom, others);
    const total = apart ? own : own + others.total;
    const freedom = apart ? ownFreedom : ownFreedom + others.freedom;
    if (freedom < FEWEST_FREEDOM)
      return `the noise is not known: ${freedom} repeats beyond the first of a setting, and ${FEWEST_FREEDOM} are needed`;
    if (total <= 0) return "the noise is not known: every repeat gave the same value, so the seed may not be in use";
    const width = Math.sqrt(total / freedom);
    return { test: fewer === 1 ? "cantelli" : "pooled", error: width * Math.sqrt(2 / fewer), freedom, width };
  };

  /**
   * @param {number} effect
   * @param {[number, number]} interval
   * @param {number} asked
   * @param {boolean} sure
   * @param {boolean} alone
   * @returns {[Judged["answer"], Judged["word"], string]}
   */
  const answerOf = (effect, [low, high], asked, sure, alone) => {
    if (high < 0) return ["discard", "worse", "it is worse, by more than chance explains"];
    if (sure && effect >= asked)
      return ["keep", "better", "it is better, by more than chance explains and by at least what is asked for"];
    if (high < asked) {
      if (low > 0) return ["discard", "within noise", "it is better, by less than is asked for"];
      return ["discard", "within noise", "within noise: an improvement of the size asked for is excluded"];
    }
    if (sure) return ["cannot tell", "cannot tell", "it is better, but whether by as much as is asked for is open"];
    if (alone) return ["cannot tell", "cannot tell", "it looks better, but the best of so many trials would by luck"];
    return [
      "cannot tell",
      "cannot tell",
      "the difference is no larger than chance explains, and a better model is not excluded",
    ];
  };

  /**
   * One setting against another; the improvement asked for is the width of the noise.
   * @param {number[]} ours finite values, one for each seed
   * @param {number[]} theirs
   * @param {{total: number, freedom: number}} others sum of squares and degrees of freedom of the other settings
   * @param {{higher: boolean, trials: number}} question
   * @returns {Judged}
   */
  const decide = (ours, theirs, others, { higher, trials }) => {
    const effect = (mean(ours) - mean(theirs)) * (higher ? 1 : -1);
    const scale = scaleOf(ours, theirs, others);
    if (typeof scale === "string")
      return { answer: "cannot tell", word: "cannot tell", why: scale, effect, low: null, high: null };
    const { test, error, freedom, width } = scale;
    /** @param {number} errors */
    const chance = (errors) =>
      test === "cantelli" ? Math.max(tail(freedom, errors), cantelli(errors)) : tail(freedom, errors);
    const p = chance(effect / error);
    const one = test === "pooled" && trials > 1 ? cantelli(effect / error) : p;
    const together = one >= 1 ? 1 : -Math.expm1(trials * Math.log1p(-one));
    const alike = beyond(freedom, ALPHA);
    const reach = error * (test === "cantelli" ? Math.max(alike, Math.sqrt(1 / ALPHA - 1)) : alike);
    const [low, high] = [effect - reach, effect + reach];
    const [answer, word, why] = answerOf(effect, [low, high], width, together <= ALPHA, p <= ALPHA);
    return { answer, word, why, effect, low, high };
  };

  /** Whether one is a share and a hundred times it is about the other: 0.93 and 93. @param {number[]} ours @param {number[]} theirs */
  const differInUnit = (ours, theirs) => {
    const [small, large] = [ours, theirs].sort((a, b) => Math.max(...a) - Math.max(...b));
    const whole =
      Math.min(...small) > 0 && Math.max(...small) <= 1 && Math.min(...large) > 1 && Math.max(...large) <= 100;
    const ratio = mean(large) / mean(small);
    return whole && ratio > 50 && ratio < 200;
  };

  /**
   * The finite values of the setting of a run in a group; none where it has none there.
   * @param {Runs} data
   * @param {Metric} metric
   * @param {GroupValues} group
   * @param {number} row
   */
  const repeatsOf = (data, metric, group, row) => {
    const listed = group.repeated.find(({ setting }) => setting === data.setting[row]);
    if (listed) return { values: listed.values, lost: listed.lost ?? 0 };
    const value = metric.values[row];
    return { values: Number.isFinite(value) && data.counts(row) ? [/** @type {number} */ (value)] : [], lost: 0 };
  };

  /**
   * The verdict on the setting of a run against that of another in one comparable group.
   * @param {Runs} data
   * @param {Metric} metric
   * @param {GroupValues | undefined} group none where fewer than two settings were tried
   * @param {number} row
   * @param {number} against
   * @returns {Verdict}
   */
  const verdictOn = (data, metric, group, row, against) => {
    /** @param {string} why @returns {Verdict} */
    const none = (why) => ({ word: "not comparable", why, effect: null, low: null, high: null, ours: [], theirs: [] });
    if (!metric.known) return none("nobody knows on which dataset version it was measured");
    for (const one of [row, against])
      if (!data.counts(one)) return none(`a run did not finish, or was retracted or continued: ${data.id[one]}`);
    if (data.setting[row] === data.setting[against])
      return none("both are one setting and differ by seed only, so neither can be better");
    if (!metric.direction) return none("nobody said which values are better");
    if (!group) return none("they were not both measured here");
    const [ours, theirs] = [row, against].map((one) => repeatsOf(data, metric, group, one));
    if (!ours.values.length || !theirs.values.length) return none("they were not both measured here");
    const higher = metric.direction === "higher";
    if ((higher || metric.key.includes("err")) && differInUnit(ours.values, theirs.values))
      return none("one seems to be a fraction and the other a percentage");
    const total = group.total ?? Number.POSITIVE_INFINITY;
    const own = squares(ours.values) + squares(theirs.values);
    const others = {
      total: total - own > 1e-12 * total ? total - own : 0,
      freedom: group.freedom - (ours.values.length + theirs.values.length - 2),
    };
    const judged = decide(ours.values, theirs.values, others, { higher, trials: Math.max(group.count - 1, 1) });
    const told = { ...judged, ours: ours.values, theirs: theirs.values };
    if (judged.answer === "keep" && ours.lost)
      return {
        ...told,
        word: "cannot tell",
        why: `the repeats that gave a number are better, but ${ours.lost} gave none`,
      };
    return told;
  };

  Object.assign(globalThis, { ledgerVerdict: { decide, mean, tail, verdictOn } });
})();
