// What somebody has to know who goes on with a ticket: pinned above the thread until it is acknowledged.
import { Handshake } from "lucide-react";
import { useLive, useSession } from "../../../../app/session";
import { newKey } from "../../../../client/ports";
import { mayWork } from "../../../../client/rest";
import { Button } from "../../../../ui/basics";
import { TimeAgo } from "../../../../ui/clock";
import type { AgentTicket } from "../../../../wire/generated";

export function PinnedHandoff({ ticket }: { ticket: AgentTicket }) {
  const { live, user } = useSession();
  const people = useLive((state) => state.people);
  const teams = useLive((state) => state.teams);
  const isAsked = useLive(({ pending }) =>
    pending.some(({ command }) => command.type === "acknowledge_handoff" && command.ticket_id === ticket.id),
  );
  const { handoff } = ticket;
  if (!handoff || isAsked) return null;
  const { from, to_id, to_team_id, note, draft, at } = handoff;
  const isMine = to_id === user.id;
  const isFromMe = from.id === user.id;
  const team = teams.find(({ id }) => id === to_team_id)?.name ?? "a team";
  const to = isMine ? "you" : to_id ? (people.find(({ id }) => id === to_id)?.name ?? "a colleague") : team;
  const acknowledge = () => live.submit({ type: "acknowledge_handoff", key: newKey(), ticket_id: ticket.id });
  const canAct = mayWork(user.role) && (isMine || isFromMe || to_team_id !== null);
  return (
    <section
      aria-label="Handoff note"
      data-testid="handoff"
      className="appear border-note-line border-b bg-note text-note-ink"
    >
      <div className="mx-auto flex max-w-3xl flex-wrap items-start gap-x-3 gap-y-2 px-4 py-2.5 text-sm">
        <Handshake aria-hidden="true" size={17} className="mt-0.5 shrink-0" />
        <div className="min-w-0 grow basis-60">
          <p>
            <b className="font-semibold">{isFromMe ? "You" : from.name}</b> handed this over to{" "}
            <b className="font-semibold">{to}</b> <TimeAgo at={at} className="text-xs" />
          </p>
          <p dir="auto" className="max-h-40 overflow-y-auto whitespace-pre-wrap text-ink [overflow-wrap:anywhere]">
            {note}
          </p>
          {draft && <p className="mt-1 text-xs">A draft comes along: acknowledging puts it into your composer.</p>}
        </div>
        {canAct && (
          <Button size="small" tone="note" onClick={acknowledge}>
            {isFromMe && !isMine ? "Take back" : "Acknowledge"}
          </Button>
        )}
      </div>
    </section>
  );
}
