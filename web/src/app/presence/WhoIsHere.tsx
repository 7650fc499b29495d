// Who else is at a ticket: colleagues in the header, and the customer apart from them.
import { colleagues, customerOf, NOBODY_HERE } from "../../client/here";
import { AvatarStack } from "../../ui/presence";
import type { TicketId } from "../../wire/generated";
import { useLive, useSession } from "../session";

export function WhoIsHere({ ticket }: { ticket: TicketId }) {
  const { live, user } = useSession();
  const presence = useLive((state) => (state.here[`ticket:${ticket}`] ?? NOBODY_HERE).presence);
  const customer = customerOf(presence);
  return (
    <div className="flex min-h-9 shrink-0 items-center gap-2">
      {customer && (
        <span className="inline-flex items-center gap-1.5 text-ink-soft text-xs" data-testid="customer-here">
          <span aria-hidden="true" className="size-2 rounded-full bg-green" />
          <span className="max-sm:sr-only">Customer is online</span>
        </span>
      )}
      <AvatarStack presence={colleagues(presence, user.id)} nowMs={live.nowMs()} />
    </div>
  );
}
