// The thread of one ticket, for either side of the desk: what happened, and my own messages that are still on their way.
import { ArrowDown } from "lucide-react";
import { Fragment, memo, type RefObject, useMemo, useRef, useState } from "react";
import { isConflict } from "../client/conflicts";
import { olderEvents } from "../client/rest";
import type { TopicState } from "../client/state";
import { heldReplies, type PendingPost, pendingPosts } from "../client/views";
import { Button, LoadFailed, Skeleton } from "../ui/basics";
import { Activity, FoldedActivity, Message, type MessageLook, NewSince, NotSent, Sending } from "../ui/message";
import { useStickToEnd } from "../ui/stick";
import { useToast } from "../ui/toasts";
import type { Actor, Event, EventRecord, PersonRef, TicketId } from "../wire/generated";
import { deedsInWords, FOLD_ABOVE, partsOf } from "./entries";
import { useJump } from "./jump";
import { useReading } from "./reading";
import type { ReplyBoxHandle } from "./reply-box";
import { useLink, useLiveState, useSession } from "./session";
import { authorship, deed, reason } from "./words";
import { HeldBubble } from "./writing/HeldBubble";

/** Who reads: it decides which messages are "ours". */
export type Side = "staff" | "customer";

type Props = {
  ticket: TicketId;
  topic: string;
  side: Side;
  replyBox: RefObject<ReplyBoxHandle | null>;
  again: () => void;
};

const NO_EVENTS: readonly EventRecord[] = [];

/** Mount it with the ticket as its key. */
export function Thread({ ticket, topic, side, replyBox, again }: Props) {
  const { user } = useSession();
  const state = useLiveState();
  const known = state.topics[topic];
  const events = known?.events ?? NO_EVENTS;
  const posts = pendingPosts(state, ticket).filter((post) => !isConflict(post));
  const held = useMemo(() => heldReplies(events), [events]);
  const { workflow } = useSession().workspace;
  const parts = useMemo(
    () => partsOf(events, ({ event, by }) => deed(event, workflow, state.people, by.id) !== null),
    [events, workflow, state.people],
  );
  const messages = useMemo(() => events.filter(({ event }) => event.type === "reply_posted").length, [events]);
  const stick = useStickToEnd(
    events[0]?.seq,
    posts.at(-1)?.command.key ?? events.at(-1)?.seq,
    `${events.length} ${posts.length} ${held.length}`,
    messages,
  );

  useJump(stick.ref, events);
  const readBefore = useReading(ticket, known, stick.ref);
  const firstNew = firstNewTo(events, readBefore, user.id);

  if (events.length === 0) return <NothingYet known={known} again={again} />;
  return (
    <div className="relative min-h-0 grow">
      <section
        ref={stick.ref}
        onScroll={stick.onScroll}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label="Thread"
        className="h-full overflow-y-auto"
      >
        <div className="mx-auto flex max-w-3xl flex-col gap-3 px-4 py-5">
          <Older topic={topic} ticket={ticket} first={events[0]?.seq ?? 1} />
          {parts.map((part) =>
            part.kind === "deeds" ? (
              <Deeds key={part.records[0]?.seq} records={part.records} people={state.people} />
            ) : (
              <Fragment key={part.record.key ?? part.record.seq}>
                {part.record.seq === firstNew?.seq && <NewSince at={firstNew.readAt} />}
                <Entry
                  record={part.record}
                  side={side}
                  people={state.people}
                  description={
                    part.record.event.type === "ticket_created" ? (state.tickets[ticket]?.description ?? "") : ""
                  }
                />
              </Fragment>
            ),
          )}
          {held.map((one) => (
            <HeldBubble key={one.key} ticket={ticket} held={one} replyBox={replyBox} />
          ))}
          {posts.map((post) => (
            <MyPost key={post.command.key} post={post} side={side} replyBox={replyBox} />
          ))}
          <Announcer events={events} />
          {known?.link.at === "ended" && (
            <p role="alert" className="rounded-xl bg-amber-soft px-4 py-3 text-amber text-sm">
              This ticket is no longer shared with you. What you were writing is kept on this device.
            </p>
          )}
        </div>
      </section>
      {stick.newBelow > 0 && (
        <Button
          tone="primary"
          size="small"
          onClick={stick.toEnd}
          className="-translate-x-1/2 absolute bottom-3 left-1/2 rounded-full shadow-float"
        >
          <ArrowDown aria-hidden="true" size={15} />{" "}
          {stick.newBelow === 1 ? "1 new message" : `${stick.newBelow} new messages`}
        </Button>
      )}
    </div>
  );
}

/** Tells a screen reader what came while the thread was open, once, without moving anything. */
function Announcer({ events }: { events: readonly EventRecord[] }) {
  const { user } = useSession();
  const from = useRef(events.at(-1)?.seq ?? 0);
  const last = events.findLast(
    ({ seq, by, event }) => seq > from.current && by.id !== user.id && event.type === "reply_posted",
  );
  return (
    <p role="status" className="sr-only">
      {last?.event.type === "reply_posted" &&
        `${last.event.audience === "internal" ? "New note" : "New message"} from ${last.by.name}: ${last.event.body.slice(0, 200)}`}
    </p>
  );
}

function NothingYet({ known, again }: { known: TopicState | undefined; again: () => void }) {
  if (known?.link.at !== "ended") {
    return (
      <div className="min-h-0 grow overflow-hidden">
        <Skeleton lines={4} />
      </div>
    );
  }
  return (
    <div className="min-h-0 grow">
      <LoadFailed what="This ticket" why={reason(known.link)} onRetry={again} />
    </div>
  );
}

function Older({ topic, ticket, first }: { topic: string; ticket: TicketId; first: number }) {
  const { live } = useSession();
  const toast = useToast();
  const [isBusy, setIsBusy] = useState(false);
  if (first <= 1) return null;
  const load = async () => {
    setIsBusy(true);
    const answer = await olderEvents(ticket, first, 50);
    setIsBusy(false);
    if (answer.ok) live.happen({ type: "local:older_loaded", topic, events: answer.value });
    else toast({ text: answer.problem.detail, action: { label: "Try again", act: () => void load() } });
  };
  return (
    <Button size="small" className="self-center" disabled={isBusy} onClick={() => void load()}>
      {isBusy ? "Loading…" : "Load older messages"}
    </Button>
  );
}

type EntryProps = {
  record: EventRecord;
  side: Side;
  people: readonly PersonRef[];
  /** The ticket's, which is whole where the event on the wire may be cut; for the first event only. */
  description: string;
};

/** Drawn once: an event never changes. */
const Entry = memo(function Entry({ record, side, people, description }: EntryProps) {
  const { user } = useSession();
  const { event, by, at, seq } = record;
  if (event.type === "ticket_created") {
    const body = description.startsWith(event.description) ? description : event.description;
    return (
      <Message
        author={by.name}
        role={roleOf(by, side, user.id)}
        look={lookOf(by, side, user.id)}
        at={at}
        body={body}
        seq={seq}
      />
    );
  }
  if (event.type === "reply_posted") {
    const look = event.audience === "internal" ? "note" : lookOf(by, side, user.id);
    const mentions = people.filter(({ id }) => event.mentions?.includes(id)).map(({ name }) => name);
    const remark = side === "staff" ? remarkOf(event, by) : undefined;
    return (
      <Message
        author={by.name}
        role={roleOf(by, side, user.id)}
        look={look}
        at={at}
        body={event.body}
        seq={seq}
        mentions={mentions.join("\n")}
        badge={event.mentions?.includes(user.id) ? "mentions you" : undefined}
        {...(remark && { remark })}
      >
        {event.truncated && (
          <p className="mt-2 text-ink-soft text-xs">This message is longer than what is shown here.</p>
        )}
      </Message>
    );
  }
  return null;
});

/** What was done between two messages; a long row of it is folded away. */
const Deeds = memo(function Deeds({
  records,
  people,
}: {
  records: readonly EventRecord[];
  people: readonly PersonRef[];
}) {
  const { workspace } = useSession();
  const line = ({ event, by, at, seq }: EventRecord) => (
    <Activity
      key={seq}
      author={by.name}
      what={deed(event, workspace.workflow, people, by.id) ?? ""}
      at={at}
      note={event.type === "status_changed" || event.type === "handed_over" ? event.note : undefined}
      seq={seq}
    />
  );
  if (records.length <= FOLD_ABOVE) return records.map(line);
  return <FoldedActivity summary={deedsInWords(records)}>{records.map(line)}</FoldedActivity>;
});

function MyPost({
  post,
  side,
  replyBox,
}: {
  post: PendingPost;
  side: Side;
  replyBox: RefObject<ReplyBoxHandle | null>;
}) {
  const { live, user } = useSession();
  const toast = useToast();
  const isLive = useLink().at === "live";
  const { command, fate } = post;
  const at = new Date(post.asked_at_ms).toISOString();
  const hasFailed = fate.at === "refused";
  const look = hasFailed ? "failed" : command.audience === "internal" ? "note" : "ours";
  return (
    <Message author={user.name} {...(side === "customer" && { role: "You" })} look={look} at={at} body={command.body}>
      {fate.at === "refused" ? (
        <NotSent
          why={reason(fate.refusal)}
          onRetry={() => live.retry(command.key)}
          onEdit={() => replyBox.current?.takeBack(post)}
          onCopy={() =>
            void copyText(command.body).then((isCopied) =>
              toast({ text: isCopied ? COPIED : NOT_COPIED, isPassing: isCopied }),
            )
          }
        />
      ) : (
        <Sending words={isLive ? "Sending…" : "Will be sent as soon as the connection is back."} />
      )}
    </Message>
  );
}

const COPIED = "The text is in the clipboard.";
const NOT_COPIED = "The browser does not let this page use the clipboard: select the text and copy it yourself.";

/** True when it worked: pages without TLS may not. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** The first message of somebody else after what I had read, and when that was; null where nothing is new. */
function firstNewTo(events: readonly EventRecord[], readBefore: number | null, myId: string) {
  if (readBefore === null) return null;
  const readAt = events.find(({ seq }) => seq === readBefore)?.at;
  const first = events.find(
    ({ seq, by, event }) => seq > readBefore && by.id !== myId && event.type === "reply_posted",
  );
  return first && readAt !== undefined ? { seq: first.seq, readAt } : null;
}

function lookOf(by: Actor, side: Side, myId: string): MessageLook {
  if (side === "customer") return by.id === myId ? "ours" : "theirs";
  return by.kind === "customer" ? "theirs" : "ours";
}

function roleOf(by: Actor, side: Side, myId: string): string {
  if (by.kind === "customer") return by.id === myId && side === "customer" ? "You" : "Customer";
  if (by.kind === "agent") return side === "customer" ? "Support" : "";
  return by.kind === "system" ? "Automatic" : "Program";
}

function remarkOf({ forced, missed, draft_authors }: ReplyPosted, by: Actor): string | undefined {
  const remarks = [
    forced && "Sent although something had come in between.",
    !forced && missed && "Written before the message above was seen.",
    draft_authors && authorship(draft_authors, by.name),
  ];
  return remarks.filter(Boolean).join(" ") || undefined;
}

type ReplyPosted = Extract<Event, { type: "reply_posted" }>;
