// One ticket at work: what it is, what happened, and what I say to it.
import { ArrowLeft, Handshake } from "lucide-react";
import { lazy, type RefObject, Suspense, useImperativeHandle, useState } from "react";
import { Link } from "react-router";
import { FieldConflicts } from "../../../app/conflict/FieldConflicts";
import { useUnread } from "../../../app/news";
import { useAnnounced } from "../../../app/presence/announcing";
import { TypingLine } from "../../../app/presence/TypingLine";
import { WhoIsHere } from "../../../app/presence/WhoIsHere";
import { ReplyBox, type ReplyBoxHandle } from "../../../app/reply-box";
import { useLiveState, useSession, useTopic } from "../../../app/session";
import { Thread } from "../../../app/thread";
import { mayWork } from "../../../client/rest";
import { isAgentTicket } from "../../../client/store";
import { ticketView } from "../../../client/views";
import { Button, buttonLook } from "../../../ui/basics";
import { useTitle } from "../../../ui/title";
import { useToast } from "../../../ui/toasts";
import type { AgentTicket, Audience, TicketId } from "../../../wire/generated";
import { type ListChoice, writeChoice } from "../../views";
import { AssigneeMenu, PriorityMenu, StatusMenu } from "./Menus";
import { Title } from "./Title";
import { PinnedHandoff } from "./together/PinnedHandoff";
import { Tags } from "./together/Tags";
import { WatchButton } from "./together/WatchButton";
import { markUnreadFromHere } from "./unread";

const HandoffDialog = lazy(() => import("./together/HandoffDialog"));

const AUDIENCES: readonly Audience[] = ["public", "internal"];
const PLACEHOLDER: Record<Audience, string> = {
  public: "Reply to the customer…",
  internal: "Only colleagues see this; @ calls one of them…",
};

export type TicketHandle = { handOver(): void; markUnread(): void };

type Props = {
  id: TicketId;
  choice: ListChoice;
  replyBox: RefObject<ReplyBoxHandle | null>;
  handle: RefObject<TicketHandle | null>;
};

/** Mount it with the ticket as its key. */
export function Ticket({ id, choice, replyBox, handle }: Props) {
  const { user, live } = useSession();
  const toast = useToast();
  const [isHandingOver, setIsHandingOver] = useState(false);
  const topic = `ticket:${id}`;
  const watched = useTopic(topic);
  const row = ticketView(useLiveState(), id);
  const ticket = row && isAgentTicket(row) ? row : undefined;
  const canWrite =
    mayWork(user.role) &&
    watched.topic !== undefined &&
    watched.topic.link.at !== "ended" &&
    watched.topic.events.length > 0;
  useAnnounced(id);
  useImperativeHandle(handle, () => ({
    handOver: () => setIsHandingOver(canWrite),
    markUnread: () => {
      if (markUnreadFromHere(live, id, user.id)) toast({ text: "Marked as unread from here.", isPassing: true });
    },
  }));
  useTitle(ticket ? `${ticket.number} ${ticket.title}` : null);

  return (
    <div className="flex h-full flex-col">
      <header className="border-line border-b bg-surface pt-2.5 pb-2">
        <div className="mx-auto flex max-w-3xl flex-col gap-1.5 px-4">
          <div className="flex items-start gap-1">
            <BackToList choice={choice} />
            {ticket ? (
              <Title ticket={ticket} seq={watched.topic?.seq ?? ticket.seq} />
            ) : (
              <h2 className="sr-only">Ticket</h2>
            )}
            <WhoIsHere ticket={id} />
          </div>
          {ticket && (
            <Facts
              ticket={ticket}
              seq={watched.topic?.seq ?? ticket.seq}
              onHandOver={canWrite ? () => setIsHandingOver(true) : null}
            />
          )}
          {ticket && <FieldConflicts ticket={ticket.id} seq={watched.topic?.seq ?? ticket.seq} />}
        </div>
      </header>
      {ticket && <PinnedHandoff ticket={ticket} />}
      {ticket && isHandingOver && (
        <Suspense fallback={null}>
          <HandoffDialog ticket={ticket} isOpen onOpen={setIsHandingOver} />
        </Suspense>
      )}
      <Thread ticket={id} topic={topic} side="staff" replyBox={replyBox} again={watched.again} />
      <TypingLine topic={topic} side="staff" />
      {!mayWork(user.role) && (
        <p className="px-4 pb-4 text-center text-ink-soft text-sm">You can read here, but not write.</p>
      )}
      {canWrite && (
        <div className="mx-auto w-full max-w-3xl px-4 pb-4">
          <ReplyBox ticket={id} topic={topic} audiences={AUDIENCES} placeholder={PLACEHOLDER} handle={replyBox} />
        </div>
      )}
    </div>
  );
}

/** On small screens the bell is in the list: that it has something to say shows here. */
function BackToList({ choice }: { choice: ListChoice }) {
  const hasNews = useUnread().size > 0;
  return (
    <Link
      to={`/${writeChoice(choice)}`}
      aria-label={hasNews ? "Back to the list and new notifications" : "Back to the list"}
      className={`${buttonLook("quiet", "small")} relative -ms-2 lg:hidden`}
    >
      <ArrowLeft aria-hidden="true" size={18} />
      {hasNews && <span aria-hidden="true" className="absolute end-0.5 top-0.5 size-2 rounded-full bg-danger" />}
    </Link>
  );
}

type FactsProps = { ticket: AgentTicket; seq: number /** Null where it cannot be. */; onHandOver: (() => void) | null };

function Facts({ ticket, seq, onHandOver }: FactsProps) {
  return (
    <div className="flex flex-wrap items-center gap-x-1.5 gap-y-1">
      <StatusMenu ticket={ticket} seq={seq} />
      <AssigneeMenu ticket={ticket} />
      <PriorityMenu ticket={ticket} seq={seq} />
      <Tags ticket={ticket} />
      <div className="ms-auto flex items-center gap-0.5">
        <p className="me-1.5 text-ink-soft text-sm">
          <span className="sr-only">Ticket </span>
          {ticket.number} · {ticket.requester.name}
        </p>
        <WatchButton ticket={ticket} />
        {onHandOver && (
          <Button
            size="small"
            tone="quiet"
            aria-label="Hand over"
            title="Hand over (Shift+A)"
            aria-keyshortcuts="Shift+A"
            onClick={onHandOver}
          >
            <Handshake aria-hidden="true" size={17} />
          </Button>
        )}
      </div>
    </div>
  );
}
