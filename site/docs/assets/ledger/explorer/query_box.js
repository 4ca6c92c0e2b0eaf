// @ts-check
/* The box for queries: completes names and values, and shows where a query cannot be read. */
"use strict";
(() => {
  const { element } = window.ledger;
  const { completions, vocabularyOf } = window.ledgerCompletions;
  const { FIELDS } = /** @type {any} */ (window).ledgerQuery;

  /** Examples with names of this ledger. @param {Runs} data */
  const examples = (data) => {
    const metric = data.metrics.find((one) => data.shown_metrics.includes(one.id));
    const param = data.told_params[0];
    return [
      ...(metric ? [`${metric.key} > 0.9`] : []),
      ...(param
        ? [`${param} = ${data.params.find((one) => one.name === param)?.words[0] ?? ""}`, `not ${param} ~ ""`]
        : []),
      "not status = finished",
    ].filter((text) => text.length < 60);
  };

  /**
   * @param {Runs} data
   * @param {(text: string) => void} ask
   */
  const queryBox = (data, ask) => {
    const vocabulary = vocabularyOf(data, FIELDS);
    /** @type {Completions} */
    let offered = { from: 0, to: 0, items: [] };
    let active = -1;
    const list = element("ul", {
      class: "lg-listbox",
      role: "listbox",
      id: "lg-completions",
      "aria-label": "Completions",
      hidden: true,
    });
    const input = element("input", {
      type: "search",
      class: "lg-field",
      placeholder: "Filter: word, lr=0.01, validation/loss<0.2",
      "aria-label": "Filter runs by text",
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": "lg-completions",
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => {
        ask(input.value);
        offer();
      },
      onblur: () => close(),
    });
    const close = () => {
      active = -1;
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };
    const offer = () => {
      offered = completions(input.value, input.selectionStart ?? input.value.length, vocabulary);
      close();
      if (!offered.items.length) return;
      list.replaceChildren(
        ...offered.items.map((item, at) =>
          element(
            "li",
            {
              role: "option",
              id: `lg-completion-${at}`,
              "aria-selected": "false",
              onpointerdown: (/** @type {Event} */ event) => {
                event.preventDefault();
                take(at);
              },
            },
            item.label,
            element("small", {}, item.kind),
          ),
        ),
      );
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    };
    /** @param {number} at */
    const take = (at) => {
      const { text } = offered.items[at];
      const before = input.value.slice(0, offered.from) + text;
      input.value = before + input.value.slice(offered.to);
      input.setSelectionRange(before.length, before.length);
      close();
      ask(input.value);
      input.focus();
    };
    /** @param {number} at */
    const activate = (at) => {
      active = at;
      [...list.children].forEach((line, place) => {
        line.setAttribute("aria-selected", String(place === at));
      });
      if (at < 0) input.removeAttribute("aria-activedescendant");
      else input.setAttribute("aria-activedescendant", `lg-completion-${at}`);
      list.children[at]?.scrollIntoView({ block: "nearest" });
    };
    input.addEventListener("keydown", (event) => {
      const { length } = offered.items;
      if (list.hidden) {
        if (event.key === "ArrowDown") offer();
        return;
      }
      if (event.key === "ArrowDown") activate(active + 1 < length ? active + 1 : -1);
      else if (event.key === "ArrowUp") activate(active < 0 ? length - 1 : active - 1);
      else if (event.key === "Enter" && active >= 0) take(active);
      else if (event.key === "Tab" && active >= 0) take(active);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    });
    const trouble = element("div", { class: "lg-callout", role: "status", hidden: true });
    const hint = element(
      "p",
      { class: "lg-small lg-hint" },
      "Such as ",
      ...examples(data).flatMap((text) => [
        element(
          "button",
          {
            type: "button",
            class: "lg-example",
            onclick: () => {
              input.value = text;
              ask(text);
            },
          },
          text,
        ),
        " ",
      ]),
      element("a", { href: window.ledger.url("handbook/reading.html#the-query-language") }, "the language"),
    );
    /**
     * What is wrong with the query, or how it was read.
     * @param {Answer} answer
     */
    const tell = (answer) => {
      const said = answer.error ? [answer.error] : answer.warnings;
      trouble.hidden = !said.length;
      const at = answer.error ? (answer.at ?? -1) : -1;
      const line = input.value.replace(/\s/gu, " ");
      trouble.replaceChildren(
        said.join("; "),
        ...(at >= 0 ? [element("pre", { class: "lg-caret" }, `${line}\n${" ".repeat(at)}^`)] : []),
      );
    };
    const holder = element("div", { class: "lg-query" }, input, list);
    return { holder, hint, input, trouble, tell };
  };

  Object.assign(globalThis, { ledgerQueryBox: { queryBox } });
})();
