// The news of one ticket: who, why, of what, and how it begins. What people wrote is shown as plain text only.
import clsx from "clsx";
import { Link, useLocation } from "react-router";
import type { TicketNews } from "../../client/told";
import { Avatar } from "../../ui/basics";
import { TimeAgo } from "../../ui/clock";
import { shortCount } from "../../ui/title";
import { pathTo } from "../jump";
import { useLiveState } from "../session";
import { whyTold } from "../words";

export function NewsRow({ news, onOpen }: { news: TicketNews; onOpen: () => void }) {
  const { search } = useLocation();
  const row = useLiveState().tickets[news.ticket_id];
  const { newest, unread } = news;
  const { by, at, told } = newest;
  const isNew = unread > 0;
  return (
    <li className="border-line border-b last:border-b-0">
      <Link
        to={pathTo(told.ticket_id, told.ticket_seq, search)}
        onClick={onOpen}
        className={clsx("-outline-offset-2 flex gap-3 px-4 py-3", isNew ? "bg-accent-soft" : "hover:bg-sunken")}
      >
        <Avatar name={by.name} tone={by.kind === "customer" ? "person" : "staff"} />
        <span className="min-w-0 grow text-sm">
          <span className="flex items-baseline gap-2">
            <span className="min-w-0 grow [overflow-wrap:anywhere]">
              {isNew && <span className="sr-only">{unread > 1 ? `${unread} unread: ` : "Unread: "}</span>}
              <span className="font-semibold">{by.name}</span> {whyTold(told.reason)}
            </span>
            <TimeAgo at={at} className="shrink-0 text-ink-soft text-xs" />
          </span>
          <span className={clsx("flex items-baseline gap-1.5", isNew && "font-medium")}>
            <span className="shrink-0 text-ink-soft">{told.number}</span>
            <span className="truncate" dir="auto">
              {row?.title ?? told.title}
            </span>
          </span>
          {told.excerpt !== undefined && (
            <span className="mt-0.5 line-clamp-2 text-ink-soft [overflow-wrap:anywhere]" dir="auto">
              {told.excerpt}
            </span>
          )}
        </span>
        <span aria-hidden="true" className="flex h-5 w-5 shrink-0 items-center justify-center">
          {unread === 1 && <span className="size-2 rounded-full bg-accent" />}
          {unread > 1 && (
            <span className="min-w-5 rounded-full bg-accent px-1 text-center font-semibold text-[11px] text-on-accent leading-5 tabular-nums">
              {shortCount(unread)}
            </span>
          )}
        </span>
      </Link>
    </li>
  );
}
