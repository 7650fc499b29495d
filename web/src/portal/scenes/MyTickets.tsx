// A customer's tickets, the last changed first.
import { useInfiniteQuery } from "@tanstack/react-query";
import clsx from "clsx";
import { MessageCircleQuestion } from "lucide-react";
import { Link } from "react-router";
import { useLink, useLiveState, useSession } from "../../app/session";
import { listTickets, type Problem, type TicketPage } from "../../client/rest";
import { unreadTickets } from "../../client/told";
import { statusOf } from "../../client/views";
import { Button, buttonLook, LoadFailed, Nothing, Skeleton, StatusChip, Unread } from "../../ui/basics";
import { TimeAgo } from "../../ui/clock";
import { useTitle } from "../../ui/title";

/** Customers have no list that is told of changes: this page asks again while it is looked at. */
const ASK_AGAIN_MS = 15_000;

export function MyTickets() {
  const { live, workspace } = useSession();
  const state = useLiveState();
  const { tickets } = state;
  const unread = unreadTickets(state);
  const isLive = useLink().at === "live";
  const query = useInfiniteQuery<TicketPage, Problem, { pages: TicketPage[] }, unknown[], string>({
    queryKey: ["tickets"],
    initialPageParam: "",
    queryFn: async ({ pageParam }) => {
      const answer = await listTickets(pageParam ? { cursor: pageParam } : {});
      if (!answer.ok) throw answer.problem;
      live.happen({ type: "local:rows_loaded", tickets: answer.value.tickets });
      return answer.value;
    },
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: isLive ? ASK_AGAIN_MS : false,
    staleTime: 0,
  });
  useTitle(`My tickets · ${workspace.name}`);

  const rows = (query.data?.pages ?? []).flatMap((page) => page.tickets).map((row) => tickets[row.id] ?? row);
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto max-w-3xl px-4 py-6">
        <h1 className="mb-4 font-semibold text-2xl tracking-tight">My tickets</h1>
        {query.isPending && <Skeleton lines={4} />}
        {query.isError && rows.length === 0 && (
          <LoadFailed what="Your tickets" why={query.error.detail} onRetry={() => void query.refetch()} />
        )}
        {query.isSuccess && rows.length === 0 && (
          <Nothing title="No tickets yet" icon={<MessageCircleQuestion aria-hidden="true" size={22} />}>
            <p>Tell us what you need. You will see every answer here as it is written.</p>
            <Link to="/new" className={buttonLook("primary")}>
              Open your first ticket
            </Link>
          </Nothing>
        )}
        <ul className="flex flex-col gap-2.5">
          {rows.map((ticket) => (
            <li key={ticket.id}>
              <Link
                to={`/t/${ticket.id}`}
                className="block rounded-2xl border border-line bg-surface px-4 py-3.5 transition-colors hover:border-line-strong"
              >
                <span className="flex items-start gap-3">
                  {unread.has(ticket.id) && (
                    <span className="flex h-6 items-center">
                      <Unread />
                    </span>
                  )}
                  <span
                    className={clsx(
                      "min-w-0 grow [overflow-wrap:anywhere]",
                      unread.has(ticket.id) ? "font-bold" : "font-medium",
                    )}
                  >
                    {ticket.title}
                  </span>
                  <StatusChip status={statusOf(workspace.workflow, ticket.status)} fallback={ticket.status} />
                </span>
                <span className="mt-0.5 block text-ink-soft text-sm">
                  {ticket.number} · <TimeAgo at={ticket.updated_at} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
        {query.hasNextPage && (
          <div className="flex justify-center p-4">
            <Button disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {query.isFetchingNextPage ? "Loading…" : "Load more"}
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}
