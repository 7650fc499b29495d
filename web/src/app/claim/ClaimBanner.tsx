// A colleague is answering this ticket: who, since when, and what I can do other than answer it, too. Nobody is kept from writing.
import { PenLine } from "lucide-react";
import { newKey } from "../../client/ports";
import type { State } from "../../client/state";
import { Button } from "../../ui/basics";
import { TimeAgo } from "../../ui/clock";
import { useToast } from "../../ui/toasts";
import type { Claim, TicketId } from "../../wire/generated";
import { useLive, useSession } from "../session";
import { reason } from "../words";

type Props = {
  ticket: TicketId;
  claim: Claim;
  /** Whether Send was pressed and waits for a word. */
  isAsking: boolean;
  onNote: () => void;
  onSendAnyway: () => void;
  onCancel: () => void;
};

export function ClaimBanner({ ticket, claim, isAsking, onNote, onSendAnyway, onCancel }: Props) {
  const { live, user } = useSession();
  const toast = useToast();
  const wasMine = useLive((state) => tookFromMe(state, ticket, user.id));
  const isWatching = useLive((state) => isWatchedBy(state, ticket, user.id));
  const takeOver = () =>
    live.ask({ type: "take_claim", ticket_id: ticket, force: true }, (answer) => {
      if (answer?.type === "error") toast({ text: `Not taken over. ${reason(answer)}` });
    });
  const watch = () => live.submit({ type: "watch", key: newKey(), ticket_id: ticket, on: true });
  const { name } = claim.by;
  return (
    <div
      role={isAsking ? "alert" : "status"}
      data-testid="claim-banner"
      className="appear flex flex-wrap items-center gap-x-3 gap-y-1.5 rounded-xl border border-blue/25 bg-blue-soft py-1.5 ps-4 pe-1.5 text-blue text-sm"
    >
      <PenLine aria-hidden="true" size={15} className="shrink-0" />
      <p className="min-w-0 grow basis-56">
        {isAsking ? (
          <>
            <b className="font-semibold">{name} is replying.</b> Send yours all the same?
          </>
        ) : (
          <>
            <b className="font-semibold">{wasMine ? `${name} took over from you` : `${name} is replying`}</b> (started{" "}
            <TimeAgo at={claim.since} />)
          </>
        )}
      </p>
      {isAsking ? (
        <span key="question" className="flex gap-1.5">
          <Button
            size="small"
            tone="primary"
            onClick={onSendAnyway}
            // the person has just pressed Send, and this is the question that it asks
            autoFocus
          >
            Send anyway
          </Button>
          <Button size="small" onClick={onCancel}>
            Do not send
          </Button>
        </span>
      ) : (
        <span key="choices" className="flex flex-wrap gap-1.5">
          {!isWatching && (
            <Button size="small" onClick={watch}>
              Watch
            </Button>
          )}
          <Button size="small" onClick={onNote}>
            Write a note
          </Button>
          <Button size="small" onClick={takeOver}>
            Take over
          </Button>
        </span>
      )}
    </div>
  );
}

/** The last change of hands was from me. */
function tookFromMe({ topics }: State, ticket: TicketId, myId: string): boolean {
  const last = topics[`ticket:${ticket}`]?.events.findLast(({ event }) => event.type === "claim_taken")?.event;
  return last?.type === "claim_taken" && last.from?.id === myId;
}

function isWatchedBy({ tickets }: State, ticket: TicketId, myId: string): boolean {
  const row = tickets[ticket];
  return row !== undefined && "watcher_ids" in row && (row.watcher_ids?.includes(myId) ?? false);
}
