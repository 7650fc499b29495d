// What is being written to a ticket: one text for each audience, kept in this browser while it is written.
import { useCallback, useEffect, useRef, useState } from "react";
import type { Draft } from "../client/keep";
import type { Audience, TicketId } from "../wire/generated";
import { useSession } from "./session";

type Drafts = Record<Audience, Draft>;

const NOTHING: Draft = { body: "", based_on: 0 };
const SAVE_AFTER_MS = 250;
const AUDIENCES: readonly Audience[] = ["public", "internal"];

type Kept = {
  drafts: Drafts;
  /** The text of an audience that was last written to this browser's storage. */
  saved: Readonly<Record<Audience, string>>;
  /** The body as it is now. `seq` is what its author sees; it counts as the base of a text that only begins. */
  write(audience: Audience, body: string, seq: number): void;
  /** The text has gone into a reply: it must not come back, not even by a reload right now. */
  clear(audience: Audience): void;
  /** Says that everything up to `seq` has been seen. */
  rebase(audience: Audience, seq: number): void;
};

/** Mount it once per ticket: it starts from what was kept and saves what is left when it goes. */
export function useDrafts(ticket: TicketId): Kept {
  const { keep } = useSession();
  const [drafts, setDrafts] = useState<Drafts>({ public: NOTHING, internal: NOTHING });
  const [saved, setSaved] = useState<Record<Audience, string>>({ public: "", internal: "" });
  const latest = useRef({ drafts, saved });
  latest.current = { drafts, saved };

  useEffect(() => {
    let isCurrent = true;
    for (const audience of AUDIENCES) {
      void keep.readDraft(ticket, audience).then((draft) => {
        if (!draft || !isCurrent) return;
        setSaved((now) => ({ ...now, [audience]: draft.body }));
        // what was typed meanwhile is newer
        setDrafts((now) => (now[audience].body === "" ? { ...now, [audience]: draft } : now));
      });
    }
    return () => {
      isCurrent = false;
    };
  }, [keep, ticket]);

  const save = useCallback(() => {
    const { drafts: now, saved: before } = latest.current;
    for (const audience of AUDIENCES) {
      const draft = now[audience];
      if (draft.body === before[audience]) continue;
      void keep
        .writeDraft(ticket, audience, draft)
        .then(() => setSaved((texts) => ({ ...texts, [audience]: draft.body })));
    }
  }, [keep, ticket]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the drafts starts the wait anew
  useEffect(() => {
    const timer = setTimeout(save, SAVE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [drafts, save]);

  useEffect(() => {
    const saveIfHidden = () => {
      if (document.visibilityState === "hidden") save();
    };
    document.addEventListener("visibilitychange", saveIfHidden);
    return () => {
      document.removeEventListener("visibilitychange", saveIfHidden);
      save();
    };
  }, [save]);

  const write = useCallback((audience: Audience, body: string, seq: number) => {
    setDrafts((now) => {
      const based_on = now[audience].body === "" ? seq : now[audience].based_on;
      return { ...now, [audience]: { body, based_on } };
    });
  }, []);
  const clear = useCallback(
    (audience: Audience) => {
      setDrafts((now) => ({ ...now, [audience]: NOTHING }));
      setSaved((now) => ({ ...now, [audience]: "" }));
      void keep.writeDraft(ticket, audience, NOTHING);
    },
    [keep, ticket],
  );
  const rebase = useCallback((audience: Audience, seq: number) => {
    setDrafts((now) => ({ ...now, [audience]: { ...now[audience], based_on: seq } }));
  }, []);
  return { drafts, saved, write, clear, rebase };
}
