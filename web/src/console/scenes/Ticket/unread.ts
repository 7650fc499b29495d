// "Unread from here": from the message under the pointer or the focus, otherwise from the last one of somebody else.
import type { LiveClient } from "../../../client/live";
import type { TicketId } from "../../../wire/generated";

/** False when there is nothing to mark. */
export function markUnreadFromHere(live: LiveClient, ticket: TicketId, myId: string): boolean {
  const topic = live.getState().topics[`ticket:${ticket}`];
  const pointed = document.querySelector<HTMLElement>("[data-seq]:hover, [data-seq]:focus-within")?.dataset["seq"];
  const last = topic?.events.findLast(
    ({ by, event }) => by.id !== myId && (event.type === "reply_posted" || event.type === "ticket_created"),
  )?.seq;
  const from = pointed === undefined ? last : Number(pointed);
  if (from === undefined) return false;
  live.markUnread(ticket, from - 1);
  return true;
}
