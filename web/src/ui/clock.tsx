// Times as people say them, by the hub's clock rather than the device's.
import { createContext, useContext, useEffect, useState } from "react";

/** Milliseconds since 1970. */
export const ClockContext = createContext<() => number>(() => Date.now());

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat("en", { day: "numeric", month: "short", year: "numeric" });
const TIME = new Intl.DateTimeFormat("en", { timeStyle: "short" });
const TIME_OF_DAY = new Intl.DateTimeFormat("en", {
  day: "numeric",
  month: "short",
  hour: "numeric",
  minute: "2-digit",
});
const EXACT = new Intl.DateTimeFormat("en", { dateStyle: "full", timeStyle: "medium" });

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export function TimeAgo({ at, className }: { at: string; className?: string }) {
  const nowMs = useNow(MINUTE_MS / 2);
  return (
    <time className={className} dateTime={at} title={exactly(at)}>
      {ago(Date.parse(at), nowMs)}
    </time>
  );
}

/** "just now", "5 min. ago", "yesterday", "3 Jan". */
export function ago(atMs: number, nowMs: number): string {
  const pastMs = nowMs - atMs;
  if (Number.isNaN(atMs)) return "";
  if (pastMs < MINUTE_MS) return "just now";
  if (pastMs < HOUR_MS) return RELATIVE.format(-Math.floor(pastMs / MINUTE_MS), "minute");
  if (pastMs < DAY_MS) return RELATIVE.format(-Math.floor(pastMs / HOUR_MS), "hour");
  if (pastMs < 7 * DAY_MS) return RELATIVE.format(-Math.floor(pastMs / DAY_MS), "day");
  return (pastMs < 300 * DAY_MS ? DAY : DAY_OF_YEAR).format(atMs);
}

/** "2:02 PM" of today, "Jan 3, 2:02 PM" of another day. */
export function useTimeOfDay(at: string): string {
  const nowMs = useContext(ClockContext);
  const then = new Date(at);
  const isToday = then.toDateString() === new Date(nowMs()).toDateString();
  return (isToday ? TIME : TIME_OF_DAY).format(then);
}

function exactly(at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? at : EXACT.format(date);
}

function useNow(everyMs: number): number {
  const nowMs = useContext(ClockContext);
  const [now, setNow] = useState(nowMs);
  useEffect(() => {
    const tick = () => setNow(nowMs());
    tick();
    const timer = setInterval(tick, everyMs);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }, [nowMs, everyMs]);
  return now;
}
