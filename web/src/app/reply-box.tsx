// Writing to a ticket: draft, send, and what to do when something came in between. The text is never lost on the way.
import { type RefObject, useEffect, useRef, useState } from "react";
import { conflictedPost } from "../client/conflicts";
import { newKey } from "../client/ports";
import type { PostReply } from "../client/state";
import { type PendingPost, publicDeedsAfter } from "../client/views";
import { Button } from "../ui/basics";
import { Composer } from "../ui/composer";
import { mentionedIn } from "../ui/mention";
import { useToast } from "../ui/toasts";
import type { Audience, PersonRef, TicketId } from "../wire/generated";
import { ReplyConflict } from "./conflict/ReplyConflict";
import { useDrafts } from "./drafts";
import { useLiveState, useSession } from "./session";
import { useUndo } from "./undo";
import { summary, whomItCalls } from "./words";

export type ReplyBoxHandle = {
  /** Puts the text of a reply that was not sent back into the composer. */
  takeBack(post: PendingPost): void;
  focus(audience: Audience): void;
};

const NOBODY: readonly PersonRef[] = [];

type Props = {
  ticket: TicketId;
  topic: string;
  audiences: readonly Audience[];
  placeholder: Record<Audience, string>;
  handle: RefObject<ReplyBoxHandle | null>;
};

/** Mount it with the ticket as its key. */
export function ReplyBox({ ticket, topic, audiences, placeholder, handle }: Props) {
  const { live, keep, user } = useSession();
  const state = useLiveState();
  const [audience, setAudience] = useState<Audience>("public");
  const { drafts, saved, write, clear, rebase } = useDrafts(ticket);
  const area = useRef<HTMLTextAreaElement | null>(null);
  const box = useRef<HTMLDivElement | null>(null);
  const undo = useUndo();
  const toast = useToast();
  const seq = state.topics[topic]?.seq ?? 0;
  const draft = drafts[audience];
  const conflict = conflictedPost(state, ticket);
  const heading = useConflictFocus(conflict, box, draft.body === "");

  const people = audiences.includes("internal") ? state.people.filter(({ id }) => id !== user.id) : NOBODY;
  const called = mentionedIn(draft.body, people);

  const post = (command: Omit<PostReply, "type" | "key" | "ticket_id" | "mention_ids">) => {
    const mention_ids = mentionedIn(command.body, people);
    const mentions = mention_ids.length > 0 ? { mention_ids } : {};
    live.submit({ type: "post_reply", key: newKey(), ticket_id: ticket, ...command, ...mentions });
  };

  const send = () => {
    post({ body: draft.body, audience, based_on: Math.min(draft.based_on, seq) });
    clear(audience);
  };

  const takeBack = ({ command }: PendingPost) => {
    const newer = drafts[command.audience].body;
    const body = newer.trim() === "" ? command.body : `${command.body}\n\n${newer}`;
    setAudience(command.audience);
    write(command.audience, body, seq);
    rebase(command.audience, seq);
    // the outbox lets go of the text only when the draft holds it
    void keep.writeDraft(ticket, command.audience, { body, based_on: seq }).then(() => live.withdraw(command.key));
    area.current?.focus();
  };

  const sendInstead = ({ command }: PendingPost, change: Partial<PostReply>) => {
    post({ body: command.body, audience: command.audience, ...based(command.based_on), ...change });
    live.withdraw(command.key);
  };

  const discard = (one: PendingPost) => {
    live.withdraw(one.command.key);
    const withdrawOffer = undo.offer(() => takeBackLatest.current(one));
    const restore = () => {
      withdrawOffer();
      takeBackLatest.current(one);
    };
    toast({ text: "Your reply was discarded.", action: { label: "Undo", act: restore } });
  };

  const takeBackLatest = useRef(takeBack);
  takeBackLatest.current = takeBack;
  handle.current = {
    takeBack,
    focus: (which) => {
      setAudience(which);
      area.current?.focus();
    },
  };

  const isDrafted = draft.body.trim() !== "" && saved[audience] === draft.body;
  return (
    <div ref={box} className="flex flex-col gap-2">
      {conflict && (
        <ReplyConflict
          key={conflict.command.key}
          post={conflict}
          heading={heading}
          onText={(text) => live.reword(conflict.command.key, text)}
          onEdit={() => takeBack(conflict)}
          onSendAnyway={() => sendInstead(conflict, { force: true })}
          onNote={audiences.includes("internal") ? () => sendInstead(conflict, { audience: "internal" }) : null}
          onDiscard={() => discard(conflict)}
        />
      )}
      {audience === "public" && draft.body.trim() !== "" && !conflict && (
        <MeanwhileNotice topic={topic} basedOn={draft.based_on} myId={user.id} onSeen={() => rebase("public", seq)} />
      )}
      <Composer
        ref={area}
        audience={audience}
        audiences={audiences}
        text={draft.body}
        state={isDrafted ? "Draft saved on this device" : ""}
        placeholder={placeholder[audience]}
        people={people}
        {...(called.length > 0 && { remark: whomItCalls(called, people, audience) })}
        onAudience={setAudience}
        onText={(text) => write(audience, text, seq)}
        onSend={send}
      />
    </div>
  );
}

type NoticeProps = { topic: string; basedOn: number; myId: string; onSeen: () => void };

/** Says early what would make the reply a blind one, without getting in the way of writing. */
function MeanwhileNotice({ topic, basedOn, myId, onSeen }: NoticeProps) {
  const { workspace } = useSession();
  const events = useLiveState().topics[topic]?.events ?? [];
  const missed = publicDeedsAfter(events, basedOn, myId);
  const last = missed.at(-1);
  if (!last) return null;
  const more = missed.length > 1 ? ` (and ${missed.length - 1} more)` : "";
  return (
    <div
      role="status"
      className="appear flex items-center gap-3 rounded-xl bg-blue-soft py-1.5 ps-4 pe-1.5 text-blue text-sm"
    >
      <p className="grow">
        {summary(last, workspace.workflow)} while you were writing{more}.
      </p>
      <Button size="small" onClick={onSeen}>
        I have seen it
      </Button>
    </div>
  );
}

/** The heading gets the focus once, as an answer to a Send of just now; never while somebody writes on or works elsewhere. */
function useConflictFocus(
  conflict: PendingPost | undefined,
  box: RefObject<HTMLElement | null>,
  isNothingWritten: boolean,
) {
  const heading = useRef<HTMLHeadingElement | null>(null);
  const key = conflict?.command.key;
  const mayFocus = useRef(isNothingWritten);
  mayFocus.current = isNothingWritten;
  useEffect(() => {
    if (key === undefined || !mayFocus.current) return;
    const focused = document.activeElement;
    if (focused === document.body || box.current?.contains(focused)) heading.current?.focus();
  }, [key, box]);
  return heading;
}

function based(on: number | undefined): Partial<PostReply> {
  return on === undefined ? {} : { based_on: on };
}
