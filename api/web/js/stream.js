/**
 * Stream: events of the server as they happen.
 *
 * Read by hand and not by an EventSource, because that one gives up for good on the first answer that is no stream.
 * After a break it goes on behind the last number it has seen: nothing is lost, nothing comes twice.
 */

import { locale } from "./language.js";
import { address, sayExpired } from "./server.js";

const SILENCE_MS = 40_000;
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];

/**
 * Listen; `heard(event, data)` takes each event, `state("open" | "broken")` each change. Returns a function that ends
 * it.
 */
export function listen(heard, state, path = "/stream") {
  const ended = new AbortController();
  run(heard, state, path, ended.signal);
  return () => ended.abort();
}

async function run(heard, state, path, ended) {
  let last = "";
  for (let tries = 0; !ended.aborted; tries++) {
    const silence = new AbortController();
    let timer;
    const alive = () => { clearTimeout(timer); timer = setTimeout(() => silence.abort(), SILENCE_MS); };
    try {
      alive();
      const answer = await fetch(address(path), {
        headers: { Accept: "text/event-stream", "Accept-Language": locale(), ...(last && { "Last-Event-ID": last }) },
        credentials: "same-origin", cache: "no-store", signal: AbortSignal.any([ended, silence.signal]),
      });
      if (answer.status === 401) return sayExpired();
      if (!answer.ok) throw new Error(String(answer.status));
      state("open");
      tries = 0;
      for await (const event of events(answer.body, alive)) {
        if (event.id) {
          if (isSeen(event.id, last)) continue;
          last = event.id;
        }
        heard(event.name, JSON.parse(event.data));
      }
    } catch (error) {
      if (!ended.aborted && error instanceof SyntaxError) console.error(error);
    } finally {
      clearTimeout(timer);
    }
    if (ended.aborted) return;
    state("broken");
    const pause = PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)] * (0.75 + Math.random() / 2);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Whether the event of a number was seen: numbers only grow. */
const isSeen = (id, last) => last !== "" && Number(id) <= Number(last);

async function* events(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parsed(block);
      if (event) yield event;
    }
  }
}

function parsed(block) {
  const event = { name: "message", id: "", data: [] };
  for (const line of block.split("\n")) {
    const [, field, value] = line.match(/^([a-z]+): ?(.*)$/) ?? [];
    if (field === "event") event.name = value;
    else if (field === "id") event.id = value;
    else if (field === "data") event.data.push(value);
  }
  return event.data.length ? { ...event, data: event.data.join("\n") } : null;
}
