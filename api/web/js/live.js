/** Live: the one stream of this session, and whoever listens to it; how fresh what it brings is. */

import { listen } from "./stream.js";
import { now, setClock } from "./times.js";

const STALE_MS = 60_000;
const listeners = new Set();
let end = null;

/** How the stream stands: `state` "closed", "open", "broken"; when it last told of positions, and how old the newest was. */
export const feed = { state: "closed", heard_at: 0, age_ms: null, stale: false };

/** Call `listener(event, data)` for each event, and for "state"; returns a function that ends it. */
export function follow(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function start() {
  stop();
  end = listen((event, data) => {
    if (event === "positions") {
      feed.heard_at = now();
      feed.stale = Boolean(data.stale);
      feed.age_ms = data.feed_age_s === null ? null : data.feed_age_s * 1000;
    }
    if (event === "hello") setClock(data.now_ms);
    tellAll(event, data);
  }, (state) => {
    feed.state = state;
    tellAll("state", state);
  });
}

export function stop() {
  end?.();
  end = null;
  Object.assign(feed, { state: "closed", heard_at: 0, age_ms: null, stale: false });
}

function tellAll(event, data) {
  for (const listener of [...listeners]) listener(event, data);
}

/** One word for how the feed is: "live", "stale", "broken", "waiting". */
export function health() {
  if (feed.state === "broken") return "broken";
  if (feed.state !== "open" || !feed.heard_at) return "waiting";
  return feed.stale || (feed.age_ms ?? 0) > STALE_MS || now() - feed.heard_at > STALE_MS ? "stale" : "live";
}
