// Following a ticket: being told of what happens to it.
import { BellPlus, BellRing } from "lucide-react";
import { useLive, useSession } from "../../../../app/session";
import { newKey } from "../../../../client/ports";
import { mayWork } from "../../../../client/rest";
import { Button } from "../../../../ui/basics";
import type { AgentTicket } from "../../../../wire/generated";

export function WatchButton({ ticket }: { ticket: AgentTicket }) {
  const { live, user } = useSession();
  const asked = useLive(({ pending }) =>
    pending.findLast(({ command }) => command.type === "watch" && command.ticket_id === ticket.id),
  )?.command;
  const isOn = asked?.type === "watch" ? asked.on : (ticket.watcher_ids?.includes(user.id) ?? false);
  if (!mayWork(user.role)) return null;
  const toggle = () => live.submit({ type: "watch", key: newKey(), ticket_id: ticket.id, on: !isOn });
  return (
    <Button
      size="small"
      tone="quiet"
      aria-label={isOn ? "Watching" : "Watch"}
      title={isOn ? "You are told of what happens here. Click to end it." : "Be told of what happens here"}
      aria-pressed={isOn}
      className={isOn ? "text-accent" : ""}
      onClick={toggle}
    >
      {isOn ? <BellRing aria-hidden="true" size={17} /> : <BellPlus aria-hidden="true" size={17} />}
    </Button>
  );
}
