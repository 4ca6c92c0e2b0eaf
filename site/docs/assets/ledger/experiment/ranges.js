// @ts-check
/* Sliders on the page of an experiment: runs outside of their ranges are dimmed in charts and tables, and counted. */
"use strict";
(() => {
  const { element, number } = window.ledger;
  const { rowsOf, stopsOf, isOpen, stopsIn, inside, unknown, write, read } = window.ledgerStops;
  const OUT = "lg-out";

  /** The numbers of the runs that a part of the page is made of. @param {Element} part */
  const membersOf = (part) => (part.getAttribute("data-lg-runs") || "").split(" ").filter(Boolean).map(Number);

  /** Points in one path: those outside become a path of their own behind it. @param {Element} path */
  const pointsOf = (path) => {
    const places = (path.getAttribute("d") || "").split("M").slice(1);
    const members = membersOf(path);
    const behind = /** @type {Element} */ (path.cloneNode());
    behind.removeAttribute("data-lg-runs");
    behind.classList.add(OUT);
    path.before(behind);
    /** @param {boolean[]} within */
    return (within) => {
      const parts = { true: "", false: "" };
      places.forEach((place, at) => {
        parts[within[members[at]] ? "true" : "false"] += `M${place}`;
      });
      path.setAttribute("d", parts.true);
      behind.setAttribute("d", parts.false);
    };
  };

  /** Everything on the page that runs can be dimmed in, as functions of which run lies inside. */
  const parts = () => {
    const single = [...document.querySelectorAll("[data-lg-run]")].map((part) => {
      const run = Number(part.getAttribute("data-lg-run"));
      return (/** @type {boolean[]} */ within) => part.classList.toggle(OUT, !within[run]);
    });
    const several = [...document.querySelectorAll("[data-lg-runs]:not(path)")].map((part) => {
      const members = membersOf(part);
      return (/** @type {boolean[]} */ within) => part.classList.toggle(OUT, !members.some((run) => within[run]));
    });
    return [...single, ...several, ...[...document.querySelectorAll("path[data-lg-runs]")].map(pointsOf)];
  };

  /**
   * A pair of sliders over the values of one param or metric.
   * @param {string} name
   * @param {number[]} stops
   * @param {() => void} changed
   */
  const pair = (name, stops, changed) => {
    const last = stops.length - 1;
    const shown = element("output", {});
    const [from, to] = ["least", "most"].map((word, at) =>
      element("input", {
        type: "range",
        min: 0,
        max: last,
        step: 1,
        value: at * last,
        "aria-label": `${name}, ${word}`,
      }),
    );
    const range = () => {
      const [low, high] = [Number(from.value), Number(to.value)];
      return { low: low ? stops[low] : null, high: high < last ? stops[high] : null };
    };
    const tell = () => {
      const [low, high] = [from, to].map((one) => number(stops[Number(one.value)]));
      from.setAttribute("aria-valuetext", low);
      to.setAttribute("aria-valuetext", high);
      shown.textContent = `${low} to ${high}`;
      group.classList.toggle("lg-range-set", !isOpen(range()));
    };
    /** @param {HTMLInputElement} moved @param {HTMLInputElement} other */
    const move = (moved, other) => {
      if (Number(from.value) > Number(to.value)) other.value = moved.value;
      tell();
      changed();
    };
    from.addEventListener("input", () => move(from, to));
    to.addEventListener("input", () => move(to, from));
    const group = element(
      "div",
      { class: "lg-range", role: "group", "aria-label": name },
      element("span", {}, name, " ", shown),
      element("span", { class: "lg-range-pair" }, from, to),
    );
    /** Takes the stops within the ends; false where none lies there, and then all. @param {Ends} ends */
    const set = (ends) => {
      const found = stopsIn(stops, ends);
      from.value = String(found?.first ?? 0);
      to.value = String(found?.last ?? last);
      tell();
      return found !== null;
    };
    tell();
    return { group, range, set };
  };

  /** @param {HTMLElement} place */
  const install = (place) => {
    const names = [...place.children].map((child) => child.textContent || "");
    const rows = rowsOf(place.dataset.lgRows || "");
    const count = element("span", { class: "lg-count-line", "aria-live": "polite" });
    const all = element("button", { type: "button", class: "lg-button" }, "All runs");
    /** @type {((within: boolean[]) => void)[] | null} */
    let dimmed = null;
    let lost = "";
    let asked = 0;

    const draw = () => {
      asked = 0;
      const ranges = pairs.map(({ range }) => range());
      const within = inside(rows, ranges);
      const open = ranges.every(isOpen);
      if (!open || dimmed) {
        dimmed ??= parts();
        for (const dim of dimmed) dim(within);
      }
      const outside = unknown(rows, ranges);
      const told = `${number(within.filter(Boolean).length)} of ${number(rows.length)} runs inside`;
      const lacking = outside ? `; ${number(outside)} of the others have no value` : "";
      count.textContent =
        (open ? `All ${number(rows.length)} runs.` : `${told}${lacking}; the others are dimmed.`) + lost;
      all.hidden = open;
    };
    const changed = () => {
      lost = "";
      const text = write(
        names,
        pairs.map(({ range }) => range()),
      );
      // A frame in a notebook has no address of its own.
      if (location.protocol !== "about:" && (text || location.hash.includes("=")))
        history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
      if (!asked) asked = requestAnimationFrame(draw);
    };
    const pairs = names.map((name, at) => pair(name, stopsOf(rows.map((row) => row[at])), changed));
    const take = () => {
      const found = read(location.hash, names);
      const empty = names.filter((_, at) => !pairs[at].set(found.ranges[at]));
      lost = "";
      if (found.strange.length)
        lost += ` The address also asks for ${found.strange.join(", ")}, which this page does not have.`;
      if (empty.length) lost += ` No run lies where the address asks for ${empty.join(", ")}.`;
      draw();
    };
    all.addEventListener("click", () => {
      for (const { set } of pairs) set({ low: null, high: null });
      changed();
      pairs[0].group.querySelector("input")?.focus();
    });
    addEventListener("hashchange", () => {
      if (location.hash.includes("=")) take();
    });
    place.replaceChildren(
      element("p", { class: "lg-small" }, count, " ", all),
      element("div", { class: "lg-range-grid" }, ...pairs.map(({ group }) => group)),
    );
    place.hidden = false;
    take();
  };

  for (const place of document.querySelectorAll("[data-lg-rows]")) install(/** @type {HTMLElement} */ (place));
})();
