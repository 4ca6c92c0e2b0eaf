// @ts-check
/* The page of a run that has none of its own. What is put into it was made and escaped by the build, as every page is;
   the parser runs no script, and the page's security policy admits none that is not a file of the site. */
"use strict";
(() => {
  const place = document.querySelector("[data-older-run]");
  const status = place?.querySelector("[role=status]");
  if (!place || !status) return;
  const id = new URLSearchParams(location.search).get("run") ?? "";

  /** @param {string} html */
  const nodesOf = (html) => [...new DOMParser().parseFromString(html, "text/html").body.childNodes];

  /** @param {OlderRun} run */
  const show = (run) => {
    if (run.curves) window.ledger.arrive(`curves:${id}`, run.curves);
    document.title = run.title + document.title.slice(document.title.indexOf(" · ")); // the name of the site stays
    for (const topic of document.querySelectorAll("[data-md-component=header-topic] .md-ellipsis"))
      topic.textContent = run.title;
    for (const list of document.querySelectorAll("[data-md-component=toc]")) list.replaceChildren(...nodesOf(run.toc));
    place.replaceWith(...nodesOf(run.content));
    window.ledgerCharts.installAll(document);
    window.ledgerDates.show();
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  };

  const open = async () => {
    if (!id) return "The address names no run: it ends in ?run= and an id.";
    status.textContent = `Loading ${id}…`;
    const run = await window.ledger.older(id);
    if (!run) return `No older run is called ${id}.`;
    show(run);
    return "";
  };
  open().then(
    (said) => {
      if (said) status.textContent = said;
    },
    (error) => {
      status.textContent = `The run cannot be shown: ${error.message}. Load the page again.`;
    },
  );
})();
