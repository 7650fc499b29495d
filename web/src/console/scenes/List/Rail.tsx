// The views to choose from.
import clsx from "clsx";
import { CircleUser, Inbox, Layers, UserRoundX } from "lucide-react";
import { Link } from "react-router";
import { type ListChoice, VIEW_NAMES, VIEWS, type ViewName, writeChoice } from "../../views";

const ICONS: Record<ViewName, typeof Inbox> = { open: Inbox, mine: CircleUser, unassigned: UserRoundX, all: Layers };

export function Rail({ choice }: { choice: ListChoice }) {
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
                {VIEWS[view].label}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
