// The rows of a live list: what the hub has listed, kept up to date by its signals, in an order that rests while somebody is at it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useLink, useLive, useSession } from "../../../app/session";
import { listTickets, type Problem, type TicketPage } from "../../../client/rest";
import type { State } from "../../../client/state";
import { isAgentTicket } from "../../../client/store";
import { ticketView } from "../../../client/views";
import type { AgentTicket, TicketId } from "../../../wire/generated";
import { NOTHING_SHOWN, nextDepartureMs, nextShown, type Shown } from "../../order";
import { belongs, filterOf, type ListChoice, orderRows } from "../../views";

/** Answers the tickets that belong in the list, in order; every ticket known; and the question to the hub. */
export function useRows(choice: ListChoice, openId: TicketId | null) {
  const { live, workspace, user } = useSession();
  const tickets = useTickets();
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
  const generation = useLive((state) => state.generation);
  useEffect(() => {
    if (generation > 0 && isLive) void refetch({ cancelRefetch: false });
  }, [generation, isLive, refetch]);

  const pages = query.data?.pages;
  const wanted = useMemo(() => {
    const loaded = pages?.flatMap((page) => page.tickets) ?? [];
    // what is open stays in the list even when it no longer belongs: it would vanish under the hand that changed it
    const isShown = (ticket: AgentTicket) =>
      belongs(ticket, choice, workflow, user.id) || (ticket.id === openId && loaded.some(({ id }) => id === openId));
    const ordered = pages ? orderRows(loaded, pages.at(-1)?.next_cursor === null, [...tickets.values()], isShown) : [];
    return ordered.map(({ id }) => id);
  }, [pages, tickets, choice, workflow, user.id, openId]);
  return { wanted, tickets, query };
}

/** What stands on the screen of it, and a way to let in what waits. */
export function useShown(wanted: readonly TicketId[], isFrozen: boolean): { shown: Shown; letIn: () => void } {
  const { live } = useSession();
  const [shown, setShown] = useState(NOTHING_SHOWN);
  const [, setTick] = useState(0);
  const next = nextShown(shown, wanted, isFrozen, live.nowMs());
  if (next !== shown) setShown(next);

  const departureMs = isFrozen ? null : nextDepartureMs(next);
  useEffect(() => {
    if (departureMs === null) return;
    const timer = setTimeout(() => setTick((count) => count + 1), Math.max(0, departureMs - live.nowMs()) + 1);
    return () => clearTimeout(timer);
  }, [departureMs, live]);

  const letIn = useCallback(() => setShown((before) => nextShown(before, wanted, false, live.nowMs())), [wanted, live]);
  return { shown: next, letIn };
}

/** Every ticket in my sight as I have asked it to be. */
function useTickets(): ReadonlyMap<TicketId, AgentTicket> {
  const { live } = useSession();
  const rows = useLive((state) => state.tickets);
  const gone = useLive((state) => state.gone);
  const pending = useLive((state) => state.pending);
  return useMemo(() => {
    const state: State = { ...live.getState(), tickets: rows, pending };
    const known = Object.keys(rows)
      .filter((id) => !(id in gone))
      .map((id) => ticketView(state, id))
      .filter((ticket): ticket is AgentTicket => ticket !== undefined && isAgentTicket(ticket));
    return new Map(known.map((ticket) => [ticket.id, ticket]));
  }, [live, rows, gone, pending]);
}
