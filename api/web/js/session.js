/** Session: who is logged in. */

import { ask, read } from "./server.js";

export const session = { me: null };

/** Who is logged in, by asking the server; null for nobody. Fails with a Failure if the server is out of reach. */
export async function resume() {
  try {
    session.me = await read("/session", {}, { quietly: true });
  } catch (failure) {
    if (failure.status !== 401) throw failure;
    session.me = null;
  }
  return session.me;
}

export async function logIn(login, password) {
  session.me = await ask("POST", "/session", { login, password }, { quietly: true });
  return session.me;
}

export async function logOut() {
  await ask("DELETE", "/session", undefined, { quietly: true }).catch(() => {});
  session.me = null;
}

/** Whether who is logged in has one of the roles. */
export const is = (...roles) => roles.includes(session.me?.role);
