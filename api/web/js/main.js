/** Main: what is shown where, and who must log in first. */

import { show } from "./dom.js";
import { wrong } from "./blanks.js";
import { mark } from "./language.js";
import { start, stop } from "./live.js";
import { at, begin, close, here } from "./pages.js";
import { centre } from "./pages/centre.js";
import { login } from "./pages/login.js";
import { pushes } from "./pages/pushes.js";
import { report } from "./pages/report.js";
import { reports } from "./pages/reports.js";
import { violation } from "./pages/violation.js";
import { violations } from "./pages/violations.js";
import { onExpiry } from "./server.js";
import { resume, session } from "./session.js";
import { home, rebuild, room } from "./shell.js";

const app = document.getElementById("app");

at("/centre", centre, "centre");
at("/violations", violations, "violations");
at("/violations/:id", violation, "violations");
at("/reports", reports, "reports");
at("/reports/:id", report, "reports");
at("/pushes", pushes, "pushes");

/** Ask for a login, then go on where one was. */
function ask(expired = false) {
  const { path, query } = here();
  const back = path === "/login" || path === "/" ? "/" : `${path}${query.size ? `?${query}` : ""}`;
  stop();
  login(app, expired, () => {
    start();
    history.replaceState(null, "", `#${back}`);
    rebuild();
  });
}

onExpiry(() => {
  if (!session.me) return;
  session.me = null;
  close();
  ask(true);
});

async function run() {
  mark();
  try {
    await resume();
  } catch (failure) {
    return show(app, wrong(failure, run));
  }
  if (session.me) start();
  begin(room, home, () => Boolean(session.me), () => ask());
}

run();
