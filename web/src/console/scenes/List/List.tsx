// A live list of tickets: rows change in place, new ones appear on top, nothing moves under the cursor.
import { useInfiniteQuery } from "@tanstack/react-query";
import { ListFilter } from "lucide-react";
import { useEffect, useMemo } from "react";
import { useNavigate } from "react-router";
import { useLink, useLiveState, useSession } from "../../../app/session";
import { listTickets, type Problem, type TicketPage } from "../../../client/rest";
import { isAgentTicket } from "../../../client/store";
import { unreadTickets } from "../../../client/told";
import { ticketView } from "../../../client/views";
import { Button, LoadFailed, Nothing, Skeleton } from "../../../ui/basics";
import { Menu, MenuChoices } from "../../../ui/menu";
import type { AgentTicket } from "../../../wire/generated";
import { belongs, filterOf, type ListChoice, orderRows, VIEWS, writeChoice } from "../../views";
import { Row } from "./Row";

type Props = { choice: ListChoice; openId: string | null };

export function List({ choice, openId }: Props) {
  const { workspace } = useSession();
  const { rows, query } = useRows(choice, openId);
  const { people } = useLiveState();
  const unread = unreadTickets(useLiveState());
  const names = useMemo(() => new Map(people.map(({ id, name }) => [id, name])), [people]);
  return (
    <section aria-label="Tickets" className="flex h-full min-h-0 flex-col bg-surface">
      <header className="flex items-center gap-2 border-line border-b py-2 ps-4 pe-2">
        <h1 className="grow font-semibold text-lg tracking-tight">{VIEWS[choice.view].label}</h1>
        <StatusFilter choice={choice} openId={openId} />
      </header>
      <div className="min-h-0 grow overflow-y-auto">
        {query.isPending && <Skeleton lines={6} />}
        {query.isError && rows.length === 0 && (
          <LoadFailed what="The list" why={query.error.detail} onRetry={() => void query.refetch()} />
        )}
        {query.isSuccess && rows.length === 0 && (
          <Nothing title="Nothing here">
            <p>{choice.status === null ? VIEWS[choice.view].empty : "No ticket of this view has that status."}</p>
          </Nothing>
        )}
        {rows.length > 0 && (
          <ul>
            {rows.map((ticket) => (
              <Row
                key={ticket.id}
                ticket={ticket}
                workflow={workspace.workflow}
                isOpen={ticket.id === openId}
                isUnread={unread.has(ticket.id)}
                search={writeChoice(choice)}
                assignee={ticket.assignee_id && (names.get(ticket.assignee_id) ?? "Assigned")}
              />
            ))}
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

function StatusFilter({ choice, openId }: Props) {
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

function useRows(choice: ListChoice, openId: string | null) {
  const { live, workspace, user } = useSession();
  const state = useLiveState();
  const isLive = useLink().at === "live";
  const { workflow } = workspace;
  const query = useInfiniteQuery<TicketPage, Problem, { pages: TicketPage[] }, unknown[], string>({
    queryKey: ["tickets", choice.view, choice.status],
    initialPageParam: "",
    queryFn: async ({ pageParam }) => {
      const answer = await listTickets({ ...filterOf(choice, workflow), ...(pageParam && { cursor: pageParam }) });
      if (!answer.ok) throw answer.problem;
      live.happen({ type: "local:rows_loaded", tickets: answer.value.tickets });
      return answer.value;
    },
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchOnWindowFocus: false,
  });

  // Signals of before may have been missed: whenever they begin anew, the list is asked for again.
  const { refetch } = query;
  const { generation } = state;
  useEffect(() => {
    if (generation > 0 && isLive) void refetch({ cancelRefetch: false });
  }, [generation, isLive, refetch]);

  const pages = query.data?.pages;
  const rows = useMemo(() => {
    const loaded = pages?.flatMap((page) => page.tickets) ?? [];
    const shown = Object.keys(state.tickets)
      .map((id) => ticketView(state, id))
      .filter(
        (ticket): ticket is AgentTicket => ticket !== undefined && isAgentTicket(ticket) && !(ticket.id in state.gone),
      );
    // what is open stays in the list even when it no longer belongs: it would vanish under the hand that changed it
    const isShown = (ticket: AgentTicket) =>
      belongs(ticket, choice, workflow, user.id) || (ticket.id === openId && loaded.some(({ id }) => id === openId));
    return pages ? orderRows(loaded, pages.at(-1)?.next_cursor === null, shown, isShown) : [];
  }, [pages, state, choice, workflow, user.id, openId]);
  return { rows, query };
}
