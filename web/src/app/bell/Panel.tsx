// What the bell opens: the news of each ticket, the newest first, and what can be done about them.
import { BellRing, CheckCheck } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { olderNotifications } from "../../client/rest";
import { ME, type TopicState } from "../../client/state";
import type { TicketNews } from "../../client/told";
import { Button, LoadFailed, Nothing, Skeleton } from "../../ui/basics";
import { PopoverTitle } from "../../ui/popover";
import { useToast } from "../../ui/toasts";
import { useSession } from "../session";
import { reason } from "../words";
import { Desktop } from "./Desktop";
import { NewsRow } from "./NewsRow";

type Props = {
  news: readonly TicketNews[];
  topic: TopicState | undefined;
  again: () => void;
  empty: string;
  onLeave: () => void;
};

export function Panel({ news, topic, again, empty, onLeave }: Props) {
  const { live } = useSession();
  const unread = news.filter((one) => one.unread > 0);
  const markAll = () => {
    for (const { ticket_id, upTo } of unread) live.markRead(ticket_id, upTo);
  };
  return (
    <>
      <header className="flex min-h-12 items-center gap-2 border-line border-b ps-4 pe-2">
        <div className="grow">
          <PopoverTitle>Notifications</PopoverTitle>
        </div>
        {news.length > 0 && (
          // not gone when there is nothing to do: the focus may be on it
          <Button
            size="small"
            tone="quiet"
            aria-disabled={unread.length === 0}
            onClick={markAll}
            className="aria-disabled:cursor-default aria-disabled:opacity-55"
          >
            <CheckCheck aria-hidden="true" size={15} /> Mark all read
          </Button>
        )}
      </header>
      <div className="min-h-0 grow overflow-y-auto overscroll-contain">
        <Content news={news} topic={topic} again={again} empty={empty} onLeave={onLeave} />
      </div>
      <Desktop />
    </>
  );
}

function Content({ news, topic, again, empty, onLeave }: Props) {
  if (topic?.link.at === "ended")
    return <LoadFailed what="Your notifications" why={reason(topic.link)} onRetry={again} />;
  if (!topic || topic.stream === null) return <Skeleton lines={3} />;
  const first = topic.events[0]?.seq ?? 1;
  if (news.length === 0 && first <= 1) {
    return (
      <Nothing title="No notifications" icon={<BellRing aria-hidden="true" size={22} />}>
        <p>{empty}</p>
      </Nothing>
    );
  }
  return (
    <>
      <ul onKeyDown={walk}>
        {news.map((one) => (
          // it is read when it is on the screen, not before
          <NewsRow key={one.ticket_id} news={one} onOpen={onLeave} />
        ))}
      </ul>
      {first > 1 && <Older first={first} />}
    </>
  );
}

function Older({ first }: { first: number }) {
  const { live } = useSession();
  const toast = useToast();
  const [state, setState] = useState<"ready" | "loading" | "whole">("ready");
  if (state === "whole") return null;
  const load = async () => {
    setState("loading");
    const answer = await olderNotifications(first, 50);
    if (!answer.ok) {
      setState("ready");
      toast({ text: answer.problem.detail, action: { label: "Try again", act: () => void load() } });
      return;
    }
    live.happen({ type: "local:cursors_loaded", read: answer.value.read });
    live.happen({ type: "local:older_loaded", topic: ME, events: answer.value.notifications });
    setState(answer.value.next_before === null ? "whole" : "ready");
  };
  return (
    <div className="flex justify-center p-3">
      <Button size="small" disabled={state === "loading"} onClick={() => void load()}>
        {state === "loading" ? "Loading…" : "Show older"}
      </Button>
    </div>
  );
}

/** Up and down walk along the rows, Home and End go to the ends. Enter opens: they are links. */
function walk(pressed: KeyboardEvent<HTMLElement>) {
  const rows = [...pressed.currentTarget.querySelectorAll<HTMLElement>("a")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[pressed.key];
  if (next === undefined) return;
  pressed.preventDefault();
  rows[Math.min(rows.length - 1, Math.max(0, next))]?.focus();
}
