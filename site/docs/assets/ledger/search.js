// @ts-check
/* The search box of the header: pages by their titles, then runs, then the handbook. Data is loaded when the box is first used. */
"use strict";
(() => {
  const { element } = window.ledger;
  const { excerpt, pieces, sectionsWith, whereFound } = window.ledgerSearchHits;
  const box = /** @type {HTMLInputElement | null} */ (document.getElementById("ledger-search"));
  const toggle = /** @type {HTMLInputElement | null} */ (document.getElementById("__search"));
  const list = document.querySelector(".md-search-result__list");
  const meta = document.querySelector(".md-search-result__meta");
  if (!box?.form || !toggle || !list || !meta) return;
  const hint = [...meta.childNodes].map((node) => node.cloneNode(true));
  /** Pages that are shown before the runs. */
  const MOST_PLACES = 5;
  /** @type {Runs | null} */
  let data = null;
  /** @type {[string, string, string][]} Address, title and text of the sections of the handbook. */
  let sections = [];
  /** @type {[string, string, string][]} The same of experiments, datasets, leaderboards, milestones and overviews. */
  let places = [];
  let asked = false;

  const prepare = async () => {
    if (asked) return;
    asked = true;
    try {
      [data, sections, places] = await Promise.all([
        window.ledger.newestRuns(),
        window.ledger.handbook(),
        window.ledger.pages(),
      ]);
      show();
      data = await window.ledger.runs();
      show();
    } catch {
      asked = false;
      meta.textContent = "The search data cannot be loaded.";
    }
  };

  /** @param {string} text @param {string[]} words */
  const marked = (text, words) =>
    element("span", {}, ...pieces(text, words).map(([piece, isWord]) => (isWord ? element("mark", {}, piece) : piece)));

  /** @param {Runs} data @param {number} row @param {Answer} answer */
  const runHit = (data, row, answer) => {
    const where = whereFound(data, row, answer);
    return element(
      "li",
      { class: "md-search-result__item" },
      element(
        "a",
        { class: "lg-hit", href: window.ledger.url(data.page(row)) },
        element("span", { class: "lg-run-name" }, marked(data.name[row], answer.words)),
        window.ledger.badge(data.word(data.status, row)),
        element(
          "small",
          {},
          marked(
            [data.word(data.experiment, row), data.word(data.author, row), data.id[row]].join(" · "),
            answer.words,
          ),
        ),
        where ? element("small", {}, marked(where, answer.words)) : null,
      ),
    );
  };

  /** @param {[string, string, string]} section @param {string[]} words */
  const pageHit = ([address, title, text], words) =>
    element(
      "li",
      { class: "md-search-result__item" },
      element(
        "a",
        { class: "lg-hit", href: window.ledger.url(address) },
        marked(title, words),
        element("small", {}, marked(excerpt(text, words[0]), words)),
      ),
    );

  const show = () => {
    const query = box.value.trim();
    list.replaceChildren();
    if (!query) {
      meta.replaceChildren(...hint.map((node) => node.cloneNode(true)));
      return;
    }
    if (!data) {
      meta.textContent = "Loading…";
      return;
    }
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const answer = window.ledger.ask(data, query, show);
    const rows = answer.rows || [];
    const pages = sectionsWith(sections, words);
    const found = sectionsWith(places, words).slice(0, MOST_PLACES);
    const among = data.rows < data.total ? ` among the newest ${data.rows}, more are coming` : "";
    const runs = answer.error || `${rows.length} run${rows.length === 1 ? "" : "s"}${among}`;
    meta.textContent = [
      `${runs}, ${pages.length} section${pages.length === 1 ? "" : "s"} of the handbook`,
      ...answer.warnings,
    ].join("; ");
    const known = data;
    const items = rows.slice(0, 8).map((row) => runHit(known, row, answer));
    if (rows.length > 8)
      items.push(
        element(
          "li",
          {},
          element(
            "a",
            { class: "lg-hit", href: window.ledger.url(`runs/index.html#${new URLSearchParams({ q: query })}`) },
            `All ${rows.length} runs in the table`,
          ),
        ),
      );
    if (rows.length) items.unshift(element("li", { class: "lg-hits-title" }, "Runs"));
    if (found.length)
      items.unshift(element("li", { class: "lg-hits-title" }, "Pages"), ...found.map((place) => pageHit(place, words)));
    if (pages.length)
      items.push(
        element("li", { class: "lg-hits-title" }, "Handbook"),
        ...pages.slice(0, 6).map((page) => pageHit(page, words)),
      );
    list.replaceChildren(...items);
  };

  const open = () => {
    toggle.checked = true;
    prepare();
  };
  const close = () => {
    toggle.checked = false;
    box.blur();
  };
  box.addEventListener("focus", open);
  box.addEventListener("input", show);
  toggle.addEventListener("change", () => {
    if (toggle.checked) box.focus();
  });
  box.form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = list.querySelector("a");
    if (first) first.click();
  });
  box.form.addEventListener("reset", () => {
    setTimeout(() => {
      show();
      box.focus();
    });
  });
  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const typing = target?.closest("input, select, textarea, [contenteditable]");
    if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && (event.key === "/" || event.key === "s")) {
      event.preventDefault();
      box.focus();
      return;
    }
    if (!toggle.checked) return;
    if (event.key === "Escape") {
      close();
      return;
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const stops = [box, ...list.querySelectorAll("a")];
      const at = stops.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
      if (at < 0) return;
      event.preventDefault();
      stops[(at + (event.key === "ArrowDown" ? 1 : stops.length - 1)) % stops.length].focus();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    const inside = event.target instanceof Element && event.target.closest(".md-search, label[for=__search]");
    if (toggle.checked && !inside) toggle.checked = false;
  });
})();
