// The thread in parts: messages one by one, and what was done in between gathered, so that words stand out.
import type { Event, EventRecord } from "../wire/generated";

export type Part =
  | { kind: "message"; record: EventRecord }
  /** Things that were done one after the other. */
  | { kind: "deeds"; records: readonly EventRecord[] };

/** More of them in a row are folded away. */
export const FOLD_ABOVE = 3;

/** @param shows whether anything is to be seen of an event that is no message */
export function partsOf(events: readonly EventRecord[], shows: (record: EventRecord) => boolean): Part[] {
  const parts: Part[] = [];
  for (const [at, record] of events.entries()) {
    if (isMessage(record)) parts.push({ kind: "message", record });
    else if (shows(record) && !isSaidByReply(events, at) && !isSaidByHandoff(events, at)) {
      const last = parts.at(-1);
      if (last?.kind === "deeds") parts[parts.length - 1] = { kind: "deeds", records: [...last.records, record] };
      else parts.push({ kind: "deeds", records: [record] });
    }
  }
  return parts;
}

/** "4 changes by Ana", "5 changes by Ana and Bo", "6 changes by 3 people". */
export function deedsInWords(records: readonly EventRecord[]): string {
  const names = [...new Set(records.map(({ by }) => by.name))];
  const who = names.length <= 2 ? names.join(" and ") : `${names.length} people`;
  return `${records.length} changes by ${who}`;
}

/** True for the ordinary beginning and end of a claim around a reply of its holder: the reply says it all. */
function isSaidByReply(events: readonly EventRecord[], at: number): boolean {
  const record = events[at];
  if (record?.event.type === "claim_taken" && !record.event.from) {
    const next = events.slice(at + 1).find(({ event }) => isReply(event) || event.type.startsWith("claim_"));
    return next !== undefined && isReply(next.event) && next.by.id === record.event.by.id;
  }
  if (record?.event.type !== "claim_released" || record.event.by.id !== record.by.id) return false;
  const previous = events.slice(0, at).findLast(({ event }) => isReply(event) || event.type.startsWith("claim_"));
  return previous !== undefined && isReply(previous.event) && previous.by.id === record.by.id;
}

/** True for what a handoff does besides, in the same step. */
function isSaidByHandoff(events: readonly EventRecord[], at: number): boolean {
  const record = events[at];
  if (record?.event.type !== "assigned" && record?.event.type !== "claim_taken") return false;
  return [events[at - 1], events[at + 1]].some(
    (beside) => beside?.event.type === "handed_over" && beside.at === record.at && beside.by.id === record.by.id,
  );
}

function isReply(event: Event): boolean {
  return event.type === "reply_held" || (event.type === "reply_posted" && event.audience === "public");
}

function isMessage({ event }: EventRecord): boolean {
  return event.type === "ticket_created" || event.type === "reply_posted";
}
