/** Counties: their names and outlines, asked for once. */

import { read } from "./server.js";

let found = null;

/** Outlines of the counties with their names, GeoJSON. Fails with a Failure. */
export async function counties() {
  found ??= read("/counties").catch((failure) => {
    found = null;
    throw failure;
  });
  return found;
}

/** Forget them: somebody else has logged in. */
export const forgetCounties = () => { found = null; };

/** "昌吉市" to "昌吉": names as they stand on a map. */
export const shortName = (name) => name.replace(/(哈萨克)?自治县$|(?<=..)[市县]$/, "");
