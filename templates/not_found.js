/* Finds where the site starts: the nearest folder above this address that holds the site's own scripts. The address of a
   run that has no page of its own leads to the page that shows it. */
(async () => {
  const folders = location.pathname.split("/").slice(1, -1).filter(Boolean);
  for (let depth = folders.length; depth >= 0; depth -= 1) {
    const root = ["", ...folders.slice(0, depth), ""].join("/");
    const answer = await fetch(`${root}assets/ledger/scope.js`, { method: "HEAD" }).catch(() => null);
    if (!answer?.ok || !/javascript/.test(answer.headers.get("content-type"))) continue;
    const run = location.pathname.slice(root.length).match(/^runs\/(\d{8}-\d{6}-[0-9a-z]{6})\.html$/);
    if (run && (await fetch(`${root}data/older.js`, { method: "HEAD" }).catch(() => null))?.ok) {
      location.replace(`${root}runs/older.html?run=${run[1]}${location.hash}`);
      return;
    }
    for (const link of document.querySelectorAll("a")) link.href = root + link.dataset.page;
    document.querySelector("nav").hidden = false;
    return;
  }
})();
