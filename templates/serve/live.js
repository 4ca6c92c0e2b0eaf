// @ts-check
/* Of the home page served by `ledger site serve`: shows the runs that live on this machine now. */
(() => {
  const EVERY = 2000;

  /**
   * @param {string} tag
   * @param {string} text
   */
  const element = (tag, text, name = "") => {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = name;
    return made;
  };

  /** @param {{ id: string, experiment: string, done: number | null, lines: string[] }} run */
  const card = (run) => {
    const made = document.createElement("article");
    made.className = "lg-running";
    made.append(element("h3", run.experiment), element("code", run.id));
    if (run.done !== null) {
      const bar = document.createElement("progress");
      bar.value = run.done;
      bar.setAttribute("aria-label", "share of the run that is done");
      made.append(bar);
    }
    made.append(...run.lines.map((line) => element("p", line)));
    return made;
  };

  const home = document.querySelector("#content")?.parentElement;
  if (!home) return;
  const place = document.createElement("section");
  place.setAttribute("aria-label", "Running now");
  document.querySelector("#content")?.after(place);

  const ask = async () => {
    try {
      if (!document.hidden) {
        const runs = await (await fetch("/-/live", { cache: "no-store" })).json();
        const title = element("h2", "Running now ");
        title.append(element("small", "on the machine that serves this page"));
        place.replaceChildren(...(runs.length ? [title, ...runs.map(card)] : []));
      }
    } catch {
      place.replaceChildren(); // the server has stopped, or could not look: nothing is known of what runs
    }
    setTimeout(ask, EVERY);
  };
  ask();
})();
