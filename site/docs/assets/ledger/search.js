/* The search box of the header: runs first, then the handbook. Data is loaded when the box is first used. */
"use strict";
(() => {
  const { element } = window.ledger;
  const box = document.getElementById("ledger-search");
  if (!box) return;
  const toggle = document.getElementById("__search");
  const list = document.querySelector(".md-search-result__list");
  const meta = document.querySelector(".md-search-result__meta");
  const hint = [...meta.childNodes].map((node) => node.cloneNode(true));
  let data = null,
    sections = null,
    failed = false;

  const prepare = async () => {
    if (data || failed) return;
    try {
      [data, sections] = await Promise.all([window.ledger.runs(), window.ledger.handbook()]);
      show();
    } catch {
      failed = true;
      meta.textContent = "The search data cannot be loaded.";
    }
  };

  const marked = (text, words) => {
    const made = document.createElement("span");
    const lower = text.toLowerCase();
    let at = 0;
    while (at < text.length) {
      const next = words
        .map((word) => [lower.indexOf(word, at), word.length])
        .filter(([index]) => index >= 0)
        .sort((a, b) => a[0] - b[0])[0];
      if (!next) break;
      made.append(text.slice(at, next[0]), element("mark", {}, text.slice(next[0], next[0] + next[1])));
      at = next[0] + next[1];
    }
    made.append(text.slice(at));
    return made;
  };

  /* Say where the words were found, when it was not in what is shown anyway. */
  const found = (row, { words, fields }) => {
    const parts = [];
    for (const param of data.params) {
      const value = data.word(param, row);
      const text = `${param.name}=${value}`;
      if (value && (fields.includes(`params.${param.name}`) || words.some((word) => text.toLowerCase().includes(word))))
        parts.push(text);
    }
    const tags = data.tags.codes[row].map((code) => data.tags.words[code]);
    parts.push(
      ...tags.filter((tag) => words.some((word) => tag.toLowerCase().includes(word))).map((tag) => `tag ${tag}`),
    );
    for (const metric of data.metrics) {
      if (
        metric.values[row] !== null &&
        (fields.includes(`metrics.${metric.key}`) ||
          words.some((word) => metric.key.toLowerCase().includes(word) || metric.dataset.toLowerCase().includes(word)))
      )
        parts.push(`${metric.key} ${window.ledger.number(metric.values[row])} on ${metric.dataset}`);
    }
    const note = data.word(data.note, row);
    if (note && words.some((word) => note.toLowerCase().includes(word))) parts.push(note);
    return parts.slice(0, 3).join(" · ");
  };

  const runHit = (row, answer) =>
    element(
      "li",
      { class: "md-search-result__item" },
      element(
        "a",
        { class: "lg-hit", href: window.ledger.url(data.page(row)) },
        element("span", { class: "lg-id" }, marked(data.id[row], answer.words)),
        window.ledger.badge(data.word(data.status, row)),
        element(
          "small",
          {},
          marked(`${data.word(data.experiment, row)} · ${data.word(data.author, row)}`, answer.words),
        ),
        found(row, answer) ? element("small", {}, marked(found(row, answer), answer.words)) : null,
      ),
    );

  const pageHit = ([location, title, text], words) => {
    const at = Math.max(0, text.toLowerCase().indexOf(words[0]) - 40);
    return element(
      "li",
      { class: "md-search-result__item" },
      element(
        "a",
        { class: "lg-hit", href: window.ledger.url(location) },
        marked(title, words),
        element("small", {}, marked((at ? "…" : "") + text.slice(at, at + 140), words)),
      ),
    );
  };

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
    const pages = sections
      .filter(([, title, text]) => words.every((word) => `${title} ${text}`.toLowerCase().includes(word)))
      .sort(
        (a, b) =>
          words.some((word) => b[1].toLowerCase().includes(word)) -
          words.some((word) => a[1].toLowerCase().includes(word)),
      );
    const runs = answer.error || `${rows.length} run${rows.length === 1 ? "" : "s"}`;
    meta.textContent = [
      `${runs}, ${pages.length} section${pages.length === 1 ? "" : "s"} of the handbook`,
      ...answer.warnings,
    ].join("; ");
    const items = rows.slice(0, 8).map((row) => runHit(row, answer));
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
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
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
      const at = stops.indexOf(document.activeElement);
      if (at < 0) return;
      event.preventDefault();
      stops[(at + (event.key === "ArrowDown" ? 1 : stops.length - 1)) % stops.length].focus();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (toggle.checked && !event.target.closest(".md-search, label[for=__search]")) toggle.checked = false;
  });
})();
