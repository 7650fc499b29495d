// Writing to a ticket: draft, send, and what to do when something came in between. The text is never lost on the way.
import clsx from "clsx";
import { type RefObject, useEffect, useRef, useState } from "react";
import { conflictedPost } from "../client/conflicts";
import { claimOfOther, NOBODY_HERE } from "../client/here";
import { newKey } from "../client/ports";
import type { PostReply } from "../client/state";
import { type PendingPost, publicDeedsAfter } from "../client/views";
import { Button } from "../ui/basics";
import { Composer } from "../ui/composer";
import { mentionedIn } from "../ui/mention";
import { useToast } from "../ui/toasts";
import type { Audience, PersonRef, TicketId } from "../wire/generated";
import { ClaimBanner } from "./claim/ClaimBanner";
import { ReplyConflict } from "./conflict/ReplyConflict";
import { useLiveState, useSession } from "./session";
import { useUndo } from "./undo";
import { summary, whomItCalls } from "./words";
import { DraftConflict } from "./writing/DraftConflict";
import { useDraft } from "./writing/drafts";
import { holdSeconds } from "./writing/hold";
import { draftState } from "./writing/state-line";

export type ReplyBoxHandle = {
  /** Puts the text of a reply that was not sent back into the composer. */
  takeBack(post: PendingPost): void;
  /** The caret stands at the end of what is written. */
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
  const { live, user, writing } = useSession();
  const { drafts } = writing;
  const state = useLiveState();
  const [audience, setAudience] = useState<Audience>("public");
  const [isAsking, setIsAsking] = useState(false);
  const draft = useDraft(ticket, audience);
  const area = useRef<HTMLTextAreaElement | null>(null);
  const box = useRef<HTMLDivElement | null>(null);
  const undo = useUndo();
  const toast = useToast();
  const isStaff = audiences.includes("internal");
  const events = state.topics[topic]?.events ?? [];
  const seq = state.topics[topic]?.seq ?? 0;
  const claim = isStaff ? claimOfOther(state.here[topic] ?? NOBODY_HERE, user.id) : null;
  useEffect(() => {
    if (!claim) setIsAsking(false);
  }, [claim]);
  const conflict = conflictedPost(state, ticket);
  const heading = useConflictFocus(conflict, box, draft.body === "");
  useEffect(() => drafts.open(ticket, audiences), [drafts, ticket, audiences]);

  const people = isStaff ? state.people.filter(({ id }) => id !== user.id) : NOBODY;
  const called = mentionedIn(draft.body, people);

  const post = (command: Omit<PostReply, "type" | "key" | "ticket_id" | "mention_ids">) => {
    const mention_ids = mentionedIn(command.body, people);
    const mentions = mention_ids.length > 0 ? { mention_ids } : {};
    const holdMs = isStaff && command.audience === "public" ? holdSeconds() * 1000 : 0;
    const hold = holdMs > 0 ? { hold_ms: holdMs } : {};
    live.submit({ type: "post_reply", key: newKey(), ticket_id: ticket, ...command, ...mentions, ...hold });
  };

  const send = () => {
    if (claim && audience === "public" && !isAsking) return setIsAsking(true);
    const based_on = Math.min(draft.based_on, seq);
    // to insist against a colleague's claim is not to insist against words that I have not seen
    const hasMissed = publicDeedsAfter(events, based_on, user.id).length > 0;
    post({ body: draft.body, audience, based_on, ...(claim && isAsking && !hasMissed && { force: true as const }) });
    drafts.spend(ticket, audience);
    live.announcer.finish();
    setIsAsking(false);
    area.current?.focus();
  };

  const takeBack = ({ command }: PendingPost) => {
    setAudience(command.audience);
    // the outbox lets go of the text only when the draft holds it
    void drafts.bringBack(ticket, command.audience, command.body, seq).then(() => live.withdraw(command.key));
    area.current?.focus();
  };

  const sendInstead = ({ command }: PendingPost, change: Partial<PostReply>) => {
    drafts.expectSpend(ticket, command.audience);
    post({ body: command.body, audience: command.audience, ...based(command.based_on), ...change });
    live.withdraw(command.key);
    if (change.audience === "internal") forgetRefused();
  };

  /** The hub still has the text of a refused reply as a draft. */
  const forgetRefused = () => {
    if (drafts.view(ticket, "public").body.trim() === "") drafts.discard(ticket, "public");
  };

  const discard = (one: PendingPost) => {
    live.withdraw(one.command.key);
    forgetRefused();
    const withdrawOffer = undo.offer(() => takeBackLatest.current(one));
    const restore = () => {
      withdrawOffer();
      takeBackLatest.current(one);
    };
    toast({ text: "Your reply was discarded.", action: { label: "Undo", act: restore } });
  };

  const choose = (choice: "other" | "mine" | "both") => {
    const mine = draft.body;
    drafts.choose(ticket, audience, choice);
    const restore = () => void drafts.bringBack(ticket, audience, mine, seq);
    if (choice === "other") toast({ text: "Your other text is here now.", action: { label: "Undo", act: restore } });
  };

  const takeBackLatest = useRef(takeBack);
  takeBackLatest.current = takeBack;
  handle.current = {
    takeBack,
    focus: (which) => {
      setAudience(which);
      const { current } = area;
      current?.focus();
      current?.setSelectionRange(current.value.length, current.value.length);
    },
  };

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
          onNote={isStaff ? () => sendInstead(conflict, { audience: "internal" }) : null}
          onDiscard={() => discard(conflict)}
        />
      )}
      {claim && !conflict && (
        <ClaimBanner
          ticket={ticket}
          claim={claim}
          isAsking={isAsking && audience === "public"}
          onNote={() => handle.current?.focus("internal")}
          onSendAnyway={send}
          onCancel={() => {
            setIsAsking(false);
            area.current?.focus();
          }}
        />
      )}
      {audience === "public" && draft.body.trim() !== "" && !conflict && (
        <MeanwhileNotice
          topic={topic}
          basedOn={draft.based_on}
          myId={user.id}
          onSeen={() => drafts.rebase(ticket, "public", seq)}
        />
      )}
      <DraftConflict draft={draft} onChoose={choose} />
      <div className={clsx(conflict && draft.body === "" && "max-sm:hidden")}>
        <Composer
          ref={area}
          audience={audience}
          audiences={audiences}
          text={draft.body}
          state={draftState(draft, user.id)}
          placeholder={placeholder[audience]}
          people={people}
          {...(claim && { sendWords: "Send anyway…" })}
          {...(called.length > 0 && { remark: whomItCalls(called, people, audience) })}
          onAudience={setAudience}
          onText={(text) => {
            drafts.write(ticket, audience, text, seq);
            if (text.trim() === "") live.announcer.finish();
            else live.announcer.type(audience);
          }}
          onSend={send}
          onUndo={() => undo.take()}
        />
      </div>
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
