/* Finds where the site starts: the nearest folder above this address that holds the site's own scripts. */
(async () => {
  const folders = location.pathname.split("/").slice(1, -1).filter(Boolean);
  for (let depth = folders.length; depth >= 0; depth -= 1) {
    const root = ["", ...folders.slice(0, depth), ""].join("/");
    const answer = await fetch(`${root}assets/ledger/scope.js`, { method: "HEAD" }).catch(() => null);
    if (!answer?.ok || !/javascript/.test(answer.headers.get("content-type"))) continue;
    for (const link of document.querySelectorAll("a")) link.href = root + link.dataset.page;
    document.querySelector("nav").hidden = false;
    return;
  }
})();
