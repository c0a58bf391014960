/** Times: always Beijing's, whatever the machine's clock says. */

import { language, t } from "./language.js";

const ZONE = { timeZone: "Asia/Shanghai", hourCycle: "h23" };
const PARTS = new Intl.DateTimeFormat("en-CA", {
  ...ZONE, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
});
const WEEKDAY = { zh: new Intl.DateTimeFormat("zh-CN", { ...ZONE, weekday: "long" }), en: new Intl.DateTimeFormat("en-GB", { ...ZONE, weekday: "short" }) };

let skew = 0;

/** Take the server's time: the clock of this machine may be wrong. */
export const setClock = (now_ms) => { skew = now_ms - Date.now(); };

/** The time now [ms], by the server's clock. */
export const now = () => Date.now() + skew;

/** Milliseconds since 1970 of a number or of an ISO time; null of nothing. */
export function ms(time) {
  if (time === null || time === undefined || time === "") return null;
  return typeof time === "number" ? time : Date.parse(time);
}

function parts(time) {
  return Object.fromEntries(PARTS.formatToParts(new Date(ms(time))).map(({ type, value }) => [type, value]));
}

/** "2026-11-28". */
export function day(time) {
  const { year, month, day: date } = parts(time);
  return `${year}-${month}-${date}`;
}

/** "08:31:05". */
export function clock(time) {
  const { hour, minute, second } = parts(time);
  return `${hour}:${minute}:${second}`;
}

/** "11-28 08:31", with seconds if asked for; the year where it is another one. */
export function moment(time, seconds = false) {
  if (ms(time) === null) return "—";
  const at = parts(time);
  const year = at.year === parts(now()).year ? "" : `${at.year}-`;
  return `${year}${at.month}-${at.day} ${at.hour}:${at.minute}${seconds ? `:${at.second}` : ""}`;
}

export const weekday = (time) => WEEKDAY[language()].format(new Date(ms(time)));

/** Length of time in words: "4小时12分", "4 h 12 min". */
export function length(of_ms) {
  const total = Math.max(0, Math.round(of_ms / 1000));
  const [days, hours, minutes, seconds] = [
    Math.floor(total / 86400), Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60, total % 60,
  ];
  const said = [];
  if (days) said.push(t("days", { n: days }));
  if (hours) said.push(t("hours", { n: hours }));
  if (minutes && !days) said.push(t("minutes", { n: minutes }));
  if (total < 600 && (seconds || !minutes)) said.push(t("seconds", { n: seconds }));
  return said.slice(0, 2).join(language() === "en" ? " " : "");
}

/** How long ago, or until: "3分钟前", "还有2小时". */
export function ago(time) {
  const past = now() - ms(time);
  return past >= 0 ? t("ago", { length: length(past) }) : t("in", { length: length(-past) });
}
