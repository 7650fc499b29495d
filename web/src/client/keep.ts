// What stays in this browser over a reload: drafts, and replies that were sent but not confirmed.
// Everything is kept apart by workspace and person, and is lost only with the browser's storage.
import { createStore, del, entries, get, set, type UseStore } from "idb-keyval";
import { isRecord } from "../wire/codec";
import type { Audience, CommandKey, TicketId } from "../wire/generated";
import type { Outbox } from "./live";
import type { PostReply } from "./state";

/** A reply or note that is being written. */
export type Draft = {
  body: string;
  /** The last event that its author had seen when beginning to write. */
  based_on: number;
  /** The hub had stored it just so. */
  isStored?: boolean;
};

export type Keep = {
  readDraft(ticket: TicketId, audience: Audience): Promise<Draft | null>;
  /** An empty body removes the draft. */
  writeDraft(ticket: TicketId, audience: Audience, draft: Draft): Promise<void>;
  outbox: Outbox & { all(): Promise<Unsent[]> };
};

export type Unsent = { command: PostReply; askedAtMs: number };

/** Opens what is kept for one person of one workspace. Without storage (private windows) nothing is kept, and nothing breaks. */
export function openKeep(workspaceId: string, userId: string): Keep {
  const drafts = createStore(`tandem-drafts-${workspaceId}-${userId}`, "drafts");
  const outbox = createStore(`tandem-outbox-${workspaceId}-${userId}`, "outbox");
  return {
    readDraft: async (ticket, audience) => {
      const kept: unknown = await orNothing(get(`${ticket}:${audience}`, drafts));
      return isDraft(kept) ? kept : null;
    },
    writeDraft: async (ticket, audience, draft) => {
      const name = `${ticket}:${audience}`;
      await orNothing(draft.body.trim() === "" ? del(name, drafts) : set(name, draft, drafts));
    },
    outbox: {
      put: (command, askedAtMs) => void orNothing(set(command.key, { command, askedAtMs }, outbox)),
      remove: (key: CommandKey) => void orNothing(del(key, outbox)),
      all: () => allUnsent(outbox),
    },
  };
}

async function allUnsent(outbox: UseStore): Promise<Unsent[]> {
  const kept: unknown = await orNothing(entries(outbox));
  if (!Array.isArray(kept)) return [];
  return kept
    .map((entry: unknown): unknown => (Array.isArray(entry) ? entry[1] : null))
    .filter(isUnsent)
    .sort((a, b) => a.askedAtMs - b.askedAtMs);
}

/** Storage may be forbidden or full: then the page goes on without it. */
async function orNothing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch {
    return null;
  }
}

function isDraft(value: unknown): value is Draft {
  return isRecord(value) && typeof value["body"] === "string" && typeof value["based_on"] === "number";
}

function isUnsent(value: unknown): value is Unsent {
  if (!isRecord(value) || typeof value["askedAtMs"] !== "number" || !isRecord(value["command"])) return false;
  const command = value["command"];
  return (
    command["type"] === "post_reply" &&
    ["key", "ticket_id", "body", "audience"].every((field) => typeof command[field] === "string")
  );
}
