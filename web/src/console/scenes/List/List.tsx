// A live list of tickets: rows change in place; nothing moves while somebody is at it, and what is new waits on top.
import { ArrowUp, ListFilter } from "lucide-react";
import { type RefObject, useEffect, useImperativeHandle, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { useUnread } from "../../../app/news";
import { useLive, useSession } from "../../../app/session";
import { Button, LoadFailed, Nothing, Skeleton } from "../../../ui/basics";
import { Menu, MenuChoices } from "../../../ui/menu";
import type { AgentTicket, TicketId } from "../../../wire/generated";
import { type ListChoice, VIEWS, whyGone, writeChoice } from "../../views";
import { useIsFrozen } from "./frozen";
import { Row } from "./Row";
import { useRows, useShown } from "./rows";
import { useVisibleRows } from "./visible";

export type ListHandle = {
  /** Lets in what waits on top; false when nothing does. */
  letIn(): boolean;
};

type Props = { choice: ListChoice; openId: string | null; handle: RefObject<ListHandle | null> };

/** Mount it with the choice as its key. */
export function List({ choice, openId, handle }: Props) {
  const { workspace } = useSession();
  const box = useRef<HTMLDivElement | null>(null);
  const { wanted, tickets, query } = useRows(choice, openId);
  const { shown, letIn } = useShown(wanted, useIsFrozen(box));
  useVisibleRows(box, shown.places);
  const people = useLive((state) => state.people);
  const lastDeeds = useLive((state) => state.lastDeeds);
  const unread = useUnread();
  const names = useMemo(() => new Map(people.map(({ id, name }) => [id, name])), [people]);
  const lastSeen = useLastSeen(tickets);
  const nameOf = (id: string | null) => id && (names.get(id) ?? "Assigned");
  const letInAll = () => {
    letIn();
    box.current?.scrollTo({ top: 0 });
  };
  useImperativeHandle(handle, () => ({
    letIn: () => {
      if (shown.waiting > 0) letInAll();
      return shown.waiting > 0;
    },
  }));
  return (
    <section aria-label="Tickets" className="flex h-full min-h-0 flex-col bg-surface">
      <header className="flex h-13.5 shrink-0 items-center gap-3 whitespace-nowrap border-line border-b ps-4 pe-2">
        <h1 className="font-semibold text-lg tracking-tight">{VIEWS[choice.view].label}</h1>
        <Waiting count={shown.waiting} onLetIn={letInAll} />
        <StatusFilter choice={choice} openId={openId} />
      </header>
      <div ref={box} className="min-h-0 grow overflow-y-auto [overflow-anchor:none]">
        {query.isPending && <Skeleton lines={6} />}
        {query.isError && shown.places.length === 0 && (
          <LoadFailed what="The list" why={query.error.detail} onRetry={() => void query.refetch()} />
        )}
        {query.isSuccess && shown.places.length === 0 && (
          <Nothing title="Nothing here">
            <p>{choice.status === null ? VIEWS[choice.view].empty : "No ticket of this view has that status."}</p>
          </Nothing>
        )}
        {shown.places.length > 0 && (
          <ul>
            {shown.places.map(({ id, goneUntilMs }) => {
              const ticket = lastSeen.get(id);
              return (
                ticket && (
                  <Row
                    key={id}
                    ticket={ticket}
                    workflow={workspace.workflow}
                    isOpen={id === openId}
                    isUnread={unread.has(id)}
                    search={writeChoice(choice)}
                    assignee={nameOf(ticket.assignee_id)}
                    gone={
                      goneUntilMs === null
                        ? null
                        : tickets.has(id)
                          ? whyGone(ticket, choice, workspace.workflow, nameOf, lastDeeds[id])
                          : OUT_OF_SIGHT
                    }
                  />
                )
              );
            })}
          </ul>
        )}
        {query.hasNextPage && (
          <div className="flex justify-center p-4">
            <Button size="small" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {query.isFetchingNextPage ? "Loading…" : "Load more"}
            </Button>
          </div>
        )}
      </div>
    </section>
  );
}

const OUT_OF_SIGHT = "You can no longer see this";

/** Beside the heading: over the list, it would come under the pointer that it waits for. */
function Waiting({ count, onLetIn }: { count: number; onLetIn: () => void }) {
  return (
    <div role="status" className="flex min-w-0 grow">
      {count > 0 && (
        <Button
          tone="primary"
          size="small"
          aria-keyshortcuts="."
          onClick={onLetIn}
          className="appear min-h-7 rounded-full"
        >
          <ArrowUp aria-hidden="true" size={15} /> {count} new
          <span className="font-normal opacity-90 max-lg:hidden">
            <kbd className="rounded bg-on-accent/15 px-1.5 font-mono">.</kbd>
          </span>
        </Button>
      )}
    </div>
  );
}

/** Also the tickets that have gone out of sight, for as long as their rows linger. */
function useLastSeen(tickets: ReadonlyMap<TicketId, AgentTicket>): ReadonlyMap<TicketId, AgentTicket> {
  const [seen, setSeen] = useState(tickets);
  useEffect(() => setSeen((before) => new Map([...before, ...tickets])), [tickets]);
  return useMemo(() => new Map([...seen, ...tickets]), [seen, tickets]);
}

type FilterProps = { choice: ListChoice; openId: string | null };

function StatusFilter({ choice, openId }: FilterProps) {
  const { workspace } = useSession();
  const navigate = useNavigate();
  const label = workspace.workflow.statuses.find(({ id }) => id === choice.status)?.label ?? "Any status";
  const choices = [
    { value: "", label: "Any status" },
    ...workspace.workflow.statuses.map(({ id, label: words }) => ({ value: id, label: words })),
  ];
  return (
    <Menu
      label={`Filter by status: ${label}`}
      align="end"
      triggerLook="inline-flex min-h-9 items-center gap-1.5 rounded-lg px-2.5 text-ink-soft text-sm hover:bg-sunken hover:text-ink"
      trigger={
        <>
          <ListFilter aria-hidden="true" size={15} /> {label}
        </>
      }
    >
      <MenuChoices
        value={choice.status ?? ""}
        choices={choices}
        onChoose={(status) =>
          navigate(`${openId ? `/t/${openId}` : "/"}${writeChoice({ ...choice, status: status || null })}`)
        }
      />
    </Menu>
  );
}
