// Following a ticket: being told of what happens to it.
import { Eye, EyeOff } from "lucide-react";
import { useLive, useSession } from "../../../../app/session";
import { newKey } from "../../../../client/ports";
import { Button } from "../../../../ui/basics";
import type { AgentTicket } from "../../../../wire/generated";

export function WatchButton({ ticket }: { ticket: AgentTicket }) {
  const { live, user } = useSession();
  const asked = useLive(({ pending }) =>
    pending.findLast(({ command }) => command.type === "watch" && command.ticket_id === ticket.id),
  )?.command;
  const isOn = asked?.type === "watch" ? asked.on : (ticket.watcher_ids?.includes(user.id) ?? false);
  const Icon = isOn ? EyeOff : Eye;
  const toggle = () => live.submit({ type: "watch", key: newKey(), ticket_id: ticket.id, on: !isOn });
  return (
    <Button size="small" tone="quiet" aria-pressed={isOn} onClick={toggle}>
      <Icon aria-hidden="true" size={15} /> {isOn ? "Watching" : "Watch"}
    </Button>
  );
}
