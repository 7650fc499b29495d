// The views to choose from.
import clsx from "clsx";
import { CircleUser, Inbox, Layers, UserRoundX } from "lucide-react";
import { Link } from "react-router";
import { useLive } from "../../../app/session";
import type { Counters } from "../../../client/state";
import { type ListChoice, VIEW_NAMES, VIEWS, type ViewName, writeChoice } from "../../views";

const ICONS: Record<ViewName, typeof Inbox> = { open: Inbox, mine: CircleUser, unassigned: UserRoundX, all: Layers };

/** Views whose tickets the hub counts. */
const COUNTED: Partial<Record<ViewName, keyof Counters>> = { open: "open", mine: "mine", unassigned: "unassigned" };

export function Rail({ choice }: { choice: ListChoice }) {
  const counters = useLive((state) => state.counters);
  return (
    <nav aria-label="Views" className="min-w-0 overflow-x-auto">
      <ul className="flex gap-1 lg:flex-col">
        {VIEW_NAMES.map((view) => {
          const Icon = ICONS[view];
          const isChosen = view === choice.view;
          return (
            <li key={view}>
              <Link
                to={`/${writeChoice({ view, status: null })}`}
                aria-current={isChosen ? "page" : undefined}
                className={clsx(
                  "flex min-h-10 items-center gap-2.5 rounded-lg px-2.5 font-medium text-sm",
                  isChosen ? "bg-accent-soft text-accent" : "text-ink-soft hover:bg-sunken hover:text-ink",
                )}
              >
                <Icon aria-hidden="true" size={17} className="shrink-0 max-sm:hidden" />
                <span className="grow">{VIEWS[view].label}</span>
                <Count count={counters && COUNTED[view] ? counters[COUNTED[view]] : null} />
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

function Count({ count }: { count: number | null }) {
  if (count === null) return null;
  return (
    <span data-count={count} className="font-normal text-xs tabular-nums max-sm:hidden" title={`${count} tickets`}>
      {count > MOST_COUNTED ? `${MOST_COUNTED}+` : count}
    </span>
  );
}

const MOST_COUNTED = 999;
