// One ticket of a list. A link, so that it opens with Enter, in a new tab, or by touch like any other.
import clsx from "clsx";
import { memo } from "react";
import { Link } from "react-router";
import { useLive, useSession } from "../../../app/session";
import { colleagues } from "../../../client/here";
import { Avatar, PRIORITIES, StatusChip, Unread } from "../../../ui/basics";
import { TimeAgo } from "../../../ui/clock";
import { RowPresence } from "../../../ui/presence";
import type { AgentTicket, TicketId, Workflow } from "../../../wire/generated";
import { ROW } from "../../keys";

/** Names the ticket of a row. */
export const TICKET = "data-ticket";

type Props = {
  ticket: AgentTicket;
  workflow: Workflow;
  isOpen: boolean;
  /** Something of it was told to me that I have not read. */
  isUnread: boolean;
  search: string /** Null for nobody. */;
  assignee: string | null;
  /** Why it does not belong here any more, while it lingers; null for what does. */
  gone: string | null;
};

export const Row = memo(function Row({ ticket, workflow, isOpen, isUnread, search, assignee, gone }: Props) {
  const status = workflow.statuses.find(({ id }) => id === ticket.status);
  return (
    <li className="border-line border-b" {...{ [TICKET]: ticket.id }}>
      <Link
        to={`/t/${ticket.id}${search}`}
        aria-current={isOpen ? "true" : undefined}
        {...{ [ROW]: ticket.number }}
        className={clsx(
          "-outline-offset-2 block border-s-3 px-4 py-3",
          isOpen ? "border-accent bg-accent-soft" : "border-transparent hover:bg-sunken",
          gone !== null && "bg-sunken",
        )}
      >
        <span className="flex items-baseline gap-2">
          {isUnread && <Unread />}
          <span
            className={clsx(
              "min-w-0 grow truncate",
              isUnread ? "font-bold" : "font-medium",
              gone !== null && "text-ink-soft line-through decoration-line-strong",
            )}
          >
            {ticket.title}
          </span>
          <TimeAgo at={ticket.updated_at} className="shrink-0 text-ink-soft text-xs" />
        </span>
        <span className="mt-1 flex items-center gap-2 text-ink-soft text-xs">
          {gone === null ? (
            <span className="min-w-0 grow truncate">
              {ticket.number} · {ticket.requester.name}
            </span>
          ) : (
            <span className="appear min-w-0 grow truncate font-medium text-ink">{gone}</span>
          )}
          {(ticket.priority === "p1" || ticket.priority === "p2") && (
            <span className={clsx("shrink-0 font-semibold", PRIORITIES[ticket.priority].look)}>
              {PRIORITIES[ticket.priority].label}
            </span>
          )}
          <WhoIsAtRow ticket={ticket.id} />
          <StatusChip status={status} fallback={ticket.status} />
          <Assignee name={assignee} />
        </span>
      </Link>
    </li>
  );
});

/** By itself, so that people who come and go draw nothing else anew. */
function WhoIsAtRow({ ticket }: { ticket: TicketId }) {
  const { user } = useSession();
  const presence = useLive((state) => state.rowPresence[ticket]);
  return presence ? <RowPresence presence={colleagues(presence, user.id)} /> : null;
}

function Assignee({ name }: { name: string | null }) {
  const words = name ?? "Unassigned";
  return (
    <span className="inline-flex scale-85" title={words}>
      <span className="sr-only">{words}</span>
      <Avatar name={words} tone={name === null ? "nobody" : "staff"} />
    </span>
  );
}
