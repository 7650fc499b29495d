// What I am told of and have not read, drawn anew only when something about that changes.
import { useMemo } from "react";
import { ME } from "../client/state";
import { newsByTicket, type TicketNews, unreadTickets } from "../client/told";
import type { TicketId } from "../wire/generated";
import { useLive, useSession } from "./session";

/** The ticket whose news came last is first. */
export function useNews(): TicketNews[] {
  const { live } = useSession();
  const changes = useChanges();
  return useMemo(() => newsByTicket(live.getState()), [live, ...changes]);
}

/** Tickets with something that I have not read. */
export function useUnread(): ReadonlySet<TicketId> {
  const { live } = useSession();
  const changes = useChanges();
  return useMemo(() => unreadTickets(live.getState()), [live, ...changes]);
}

function useChanges() {
  const told = useLive((state) => state.topics[ME]?.events);
  const read = useLive((state) => state.read);
  const marking = useLive((state) => state.marking);
  const attending = useLive((state) => state.attending);
  const keptUnread = useLive((state) => state.keptUnread);
  return [told, read, marking, attending, keptUnread] as const;
}
