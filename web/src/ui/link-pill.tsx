// How the page stands to the server, said only when there is something to say.
import clsx from "clsx";
import { CloudOff, LoaderCircle, LogOut, RefreshCw } from "lucide-react";
import { useTimeOfDay } from "./clock";

export type LinkWords = "live" | "catching_up" | "connecting" | "reconnecting" | "offline" | "signed_out" | "outdated";

type Props = {
  link: LinkWords;
  attempt?: number;
  /** How many of my actions wait for the server. */
  queued?: number;
  /** When what is shown was last confirmed; null when it never was. */
  dataAt?: string | null;
};

const LOOKS: Record<LinkWords, string> = {
  live: "",
  catching_up: "border-transparent bg-blue-soft text-blue late",
  connecting: "border-line bg-raised text-ink-soft late",
  reconnecting: "border-transparent bg-amber-soft text-amber",
  offline: "border-line bg-raised text-ink-soft",
  signed_out: "border-danger-line bg-danger-soft text-danger",
  outdated: "border-transparent bg-amber-soft text-amber",
};

const ICONS = { offline: CloudOff, signed_out: LogOut, outdated: RefreshCw };

export function LinkPill({ link, attempt = 0, queued = 0, dataAt = null }: Props) {
  const isStill = link === "offline" || link === "signed_out" || link === "outdated";
  const Icon = isStill ? ICONS[link] : LoaderCircle;
  return (
    <div
      role="status"
      data-link={link === "catching_up" ? "live" : link}
      data-caught-up={link === "live" ? "" : undefined}
      className="pointer-events-none fixed inset-x-0 top-2 z-40 flex justify-center px-2 lg:inset-x-auto lg:start-3 lg:top-auto lg:bottom-16 lg:max-w-52 lg:px-0"
    >
      {link !== "live" && (
        <span
          className={clsx(
            "inline-flex items-center gap-2 rounded-2xl border px-3 py-1 font-medium text-sm shadow-float",
            LOOKS[link],
          )}
        >
          <Icon aria-hidden="true" size={15} className={clsx("shrink-0", !isStill && "animate-spin")} />
          <span>
            <Words link={link} attempt={attempt} dataAt={dataAt} />
            {queued > 0 && (queued === 1 ? ", 1 action queued" : `, ${queued} actions queued`)}
          </span>
        </span>
      )}
    </div>
  );
}

function Words({ link, attempt, dataAt }: { link: LinkWords; attempt: number; dataAt: string | null }) {
  switch (link) {
    case "live":
      return null;
    case "catching_up":
      return "Catching up…";
    case "connecting":
      return "Connecting…";
    case "reconnecting":
      return `Reconnecting (${attempt})`;
    case "offline":
      return dataAt === null ? "Offline" : <Offline dataAt={dataAt} />;
    case "signed_out":
      return "Signed out elsewhere";
    case "outdated":
      return "This page is out of date: reload it";
  }
}

function Offline({ dataAt }: { dataAt: string }) {
  return `Offline: showing ${useTimeOfDay(dataAt)} data`;
}
