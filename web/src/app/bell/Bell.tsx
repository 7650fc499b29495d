// The bell: how many tickets have news for me, and the panel that tells which.
import { Bell as BellIcon } from "lucide-react";
import { type RefObject, useImperativeHandle, useState } from "react";
import { ME } from "../../client/state";
import { Popover } from "../../ui/popover";
import { shortCount, useTitleCount } from "../../ui/title";
import { useNews } from "../news";
import { useTopic } from "../session";
import { useHerald } from "./herald";
import { Panel } from "./Panel";

export type BellHandle = { toggle(): void };

type Props = {
  /** What is said where there is nothing yet. */
  empty: string;
  align?: "start" | "end";
  /** The single key that opens it, where there are such keys. */
  shortcut?: string;
  handle?: RefObject<BellHandle | null>;
};

/** Mount it once per page: it is what watches for news. */
export function Bell({ empty, align = "end", shortcut, handle }: Props) {
  const { topic, again } = useTopic(ME);
  const [isOpen, setIsOpen] = useState(false);
  const news = useNews();
  const waiting = news.filter(({ unread }) => unread > 0).length;
  const words = useHerald();
  useTitleCount(waiting);
  useImperativeHandle(handle, () => ({ toggle: () => setIsOpen((was) => !was) }), []);
  const label = waiting === 0 ? "Notifications" : `Notifications: ${waiting === 1 ? "1 ticket" : `${waiting} tickets`}`;
  return (
    <>
      <Popover
        isOpen={isOpen}
        onOpen={setIsOpen}
        label={label}
        keys={shortcut}
        align={align}
        triggerLook="relative inline-flex size-10 shrink-0 items-center justify-center rounded-lg text-ink-soft hover:bg-sunken hover:text-ink data-[popup-open]:bg-sunken"
        trigger={
          <>
            <BellIcon aria-hidden="true" size={19} />
            {waiting > 0 && <Badge count={waiting} />}
          </>
        }
      >
        <Panel news={news} topic={topic} again={again} empty={empty} onLeave={() => setIsOpen(false)} />
      </Popover>
      <p role="status" className="sr-only">
        {words}
      </p>
    </>
  );
}

/** The button's name says the same in words. */
function Badge({ count }: { count: number }) {
  return (
    <span
      aria-hidden="true"
      data-testid="bell-count"
      className="absolute -end-0.5 -top-0.5 flex h-4.5 min-w-4.5 items-center justify-center rounded-full bg-danger px-1 font-semibold text-[11px] text-surface tabular-nums leading-none ring-2 ring-surface"
    >
      {shortCount(count)}
    </span>
  );
}
