// One ticket as its customer sees it: the public thread, live, and the next message.
import { ArrowLeft } from "lucide-react";
import { useRef } from "react";
import { Link, useParams } from "react-router";
import { useAnnounced } from "../../app/presence/announcing";
import { TypingLine } from "../../app/presence/TypingLine";
import { ReplyBox, type ReplyBoxHandle } from "../../app/reply-box";
import { useLiveState, useSession, useTopic } from "../../app/session";
import { Thread } from "../../app/thread";
import { isDone, statusOf, ticketView } from "../../client/views";
import { buttonLook, StatusChip } from "../../ui/basics";
import { useTitle } from "../../ui/title";
import type { Audience, TicketId } from "../../wire/generated";

const AUDIENCES: readonly Audience[] = ["public"];

export function Conversation() {
  const { ticketId } = useParams();
  return ticketId ? <OneConversation key={ticketId} id={ticketId} /> : null;
}

function OneConversation({ id }: { id: TicketId }) {
  const { workspace } = useSession();
  const topic = `thread:${id}`;
  const watched = useTopic(topic);
  const ticket = ticketView(useLiveState(), id);
  const replyBox = useRef<ReplyBoxHandle | null>(null);
  const canWrite = watched.topic !== undefined && watched.topic.link.at !== "ended" && watched.topic.events.length > 0;
  const isOver = ticket !== undefined && isDone(workspace.workflow, ticket.status);
  const placeholder = isOver ? "Write again, and we will take it up again…" : "Write a message…";
  useAnnounced(id);
  useTitle(ticket ? `${ticket.title} · ${workspace.name}` : null);

  return (
    <div className="flex h-full flex-col">
      <div className="mx-auto flex w-full max-w-3xl items-start gap-2 px-4 pt-4 pb-1">
        <Link to="/" aria-label="Back to my tickets" className={`${buttonLook("quiet", "small")} -ms-2`}>
          <ArrowLeft aria-hidden="true" size={18} />
        </Link>
        <div className="min-w-0 grow">
          <h1 className="font-semibold text-xl leading-snug tracking-tight [overflow-wrap:anywhere]">
            {ticket?.title ?? "Ticket"}
          </h1>
          {ticket && <p className="text-ink-soft text-sm">{ticket.number}</p>}
        </div>
        {ticket && (
          <p className="pt-1">
            <span className="sr-only">Status: </span>
            <StatusChip status={statusOf(workspace.workflow, ticket.status)} fallback={ticket.status} />
          </p>
        )}
      </div>
      <Thread ticket={id} topic={topic} side="customer" replyBox={replyBox} again={watched.again} />
      <TypingLine topic={topic} side="customer" />
      {canWrite && (
        <div className="mx-auto w-full max-w-3xl px-4 pb-4">
          <ReplyBox
            ticket={id}
            topic={topic}
            audiences={AUDIENCES}
            placeholder={{ public: placeholder, internal: "" }}
            handle={replyBox}
          />
        </div>
      )}
    </div>
  );
}
