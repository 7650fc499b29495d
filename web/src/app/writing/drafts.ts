// The book of what is being written, tied to the line to the hub and to this browser's storage.
import { useSyncExternalStore } from "react";
import { type DraftAnswer, Drafts, type DraftView } from "../../client/drafts";
import type { Keep } from "../../client/keep";
import { type Answered, isPassing, type LiveClient } from "../../client/live";
import { isHubDraft } from "../../wire/codec";
import type { Audience, TicketId } from "../../wire/generated";
import { useSession } from "../session";

/** The book, and a way to hear of its changes. */
export type Writing = { drafts: Drafts; onChange: (listener: () => void) => () => void };

export function startWriting(live: LiveClient, keep: Keep): Writing {
  const listeners = new Set<() => void>();
  const drafts = new Drafts({
    ask: (request, answered) => live.ask(request, (answer) => answered(answer && readAnswer(answer))),
    read: keep.readDraft,
    keep: keep.writeDraft,
    nowMs: live.nowMs,
    after: (ms, act) => {
      const timer = setTimeout(act, ms);
      return { cancel: () => clearTimeout(timer) };
    },
    onChange: () => {
      for (const listener of listeners) listener();
    },
  });
  const onChange = (listener: () => void) => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  };
  return { drafts, onChange };
}

/** What I am writing to a ticket, for one audience. */
export function useDraft(ticket: TicketId, audience: Audience): DraftView {
  const { writing } = useSession();
  return useSyncExternalStore(writing.onChange, () => writing.drafts.view(ticket, audience));
}

function readAnswer(answer: Answered): DraftAnswer {
  if (answer.type === "ack") {
    const revision = answer.result?.["revision"];
    return { ok: true, revision: typeof revision === "number" ? revision : null };
  }
  const draft: unknown = answer.detail?.["draft"];
  return {
    ok: false,
    isPassing: isPassing(answer.code),
    retryAfterMs: answer.retry_after_ms ?? null,
    isStale: answer.code === "stale",
    draft: isHubDraft(draft) ? draft : null,
  };
}
