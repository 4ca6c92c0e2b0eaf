// @ts-check
/* Of a page served by `ledger site serve`: loads it again when the site has been built again. */
(() => {
  /** @type {string | null} */
  let known = null;
  const ask = async () => {
    try {
      const text = await (await fetch("/-/generation", { cache: "no-store" })).text();
      if (known !== null && text !== known) location.reload();
      known = text;
    } catch {
      /* the server has stopped; the page stays */
    }
    setTimeout(ask, 1000);
  };
  ask();
})();
