// @ts-check
/* Data that arrives as scripts: asked for once by name, handed to everybody who waits, asked for again after a failure. */
"use strict";
(() => {
  /**
   * @typedef {{resolve: (value: any) => void, reject: (error: Error) => void}} Waiting
   */

  /**
   * @param {(path: string, failed: () => void) => void} fetchScript adds the script; it calls `arrive`, or `failed`
   */
  const loader = (fetchScript) => {
    /** @type {Map<string, any>} */
    const arrived = new Map();
    /** @type {Map<string, Waiting[]>} */
    const waiting = new Map();

    /** @param {string} name */
    const taken = (name) => {
      const all = waiting.get(name) || [];
      waiting.delete(name);
      return all;
    };

    /**
     * What a script of data calls.
     * @param {string} name
     * @param {any} value
     */
    const arrive = (name, value) => {
      arrived.set(name, value);
      for (const { resolve } of taken(name)) resolve(value);
    };

    /**
     * @param {string} name
     * @param {string} path
     * @returns {Promise<any>}
     */
    const load = (name, path) =>
      new Promise((resolve, reject) => {
        if (arrived.has(name)) {
          resolve(arrived.get(name));
          return;
        }
        const before = waiting.get(name);
        waiting.set(name, [...(before || []), { resolve, reject }]);
        if (before) return;
        fetchScript(path, () => {
          for (const one of taken(name)) one.reject(new Error(`cannot load ${path}`));
        });
      });

    return { arrive, load };
  };

  Object.assign(globalThis, { ledgerLoader: loader });
})();
