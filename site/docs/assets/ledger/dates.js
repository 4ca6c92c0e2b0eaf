// @ts-check
/* Says how long ago something was, where a page marks a time so; the time itself is its title. A page is built without a
   clock, so only the browser can tell. On paper, and without scripts, the time stands as it was written. */
(() => {
  const words = new Intl.RelativeTimeFormat("en", { numeric: "always" });
  /** Unit, its seconds, and up to how many of them are said. @type {[Intl.RelativeTimeFormatUnit, number, number][]} */
  const UNITS = [
    ["minute", 60, 60],
    ["hour", 3600, 24],
    ["day", 86400, 14],
    ["week", 604800, 9],
    ["month", 2629746, 24],
    ["year", 31556952, Number.POSITIVE_INFINITY],
  ];

  /** The age of a time in words; none of one that lies ahead. @param {number} seconds */
  const ago = (seconds) => {
    if (!(seconds >= 0)) return null;
    if (seconds < 60) return "just now";
    const [unit, size] = UNITS.find(([, length, most]) => seconds < length * most) ?? UNITS[UNITS.length - 1];
    return words.format(-Math.floor(seconds / size), unit);
  };

  const paper = matchMedia("print");
  /** @type {Map<HTMLTimeElement, string | null>} */
  const written = new Map();
  const show = () => {
    for (const time of /** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll("time.lg-ago"))) {
      if (!written.has(time)) written.set(time, time.textContent);
      const said = paper.matches ? null : ago((Date.now() - Date.parse(time.dateTime)) / 1000);
      time.textContent = said ?? written.get(time) ?? "";
      time.title = said === null ? "" : `${time.dateTime.slice(0, 16).replace("T", " ")} UTC`;
    }
  };
  show();
  paper.addEventListener("change", show);
  Object.assign(globalThis, { ledgerDates: { show } });
})();
