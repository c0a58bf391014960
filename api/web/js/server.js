/** Server: requests to the API, and what they say when they fail. */

import { both, t } from "./language.js";

const ROOT = "/api/v1";

/** A request that failed: `status` (0 where nobody answered) and words for people. */
export class Failure extends Error {
  constructor(status, words, document = {}) {
    super(words);
    this.status = status;
    this.document = document;
  }
}

let expired = () => {};

/** What is called when a session has ended. */
export const onExpiry = (listener) => { expired = listener; };

/** Tell that the session has ended; for requests that are not made here. */
export const sayExpired = () => expired();

async function failure(answer) {
  const document = await answer.json().catch(() => ({}));
  const fields = (document.errors ?? []).map((one) => both(one.detail ?? one.message ?? one.msg)).filter(Boolean);
  const words = [both(document.title), both(document.detail), ...fields].filter(Boolean);
  const said = [...new Set(words)].join(" — ") || t("failure.status", { status: answer.status });
  if (answer.status === 429) return new Failure(429, `${said} ${t("failure.wait", { s: answer.headers.get("Retry-After") ?? "60" })}`, document);
  return new Failure(answer.status, said, document);
}

/** Ask; the JSON of the answer, null where it has none. Fails with a Failure. */
export async function ask(method, path, body, { quietly = false } = {}) {
  const headers = { Accept: "application/json", "X-Warnloop": "1" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(ROOT + path, {
      method, headers, credentials: "same-origin", cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Failure(0, t("failure.network"));
  }
  if (answer.status === 401 && !quietly) expired();
  if (!answer.ok) throw await failure(answer);
  return answer.status === 204 ? null : answer.json().catch(() => null);
}

export const read = (path, parameters = {}, options) => ask("GET", path + question(parameters), undefined, options);

/** Query of the parameters that have a value; lists are repeated. */
export function question(parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "" && one !== false) query.append(name, one);
    }
  }
  const text = query.toString();
  return text && `?${text}`;
}

/** Where something of the API is downloaded from. */
export const address = (path) => ROOT + path;

/** Send a file; `progress` is called with 0 to 1. The JSON of the answer. */
export function upload(path, file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file, file.name);
    request.open("POST", ROOT + path);
    request.setRequestHeader("X-Warnloop", "1");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
    request.addEventListener("error", () => reject(new Failure(0, t("failure.network"))));
    request.addEventListener("load", async () => {
      if (request.status === 401) expired();
      if (request.status < 300) return resolve(JSON.parse(request.responseText));
      const answer = new Response(request.responseText, { status: request.status });
      return reject(await failure(answer));
    });
    request.send(form);
  });
}
