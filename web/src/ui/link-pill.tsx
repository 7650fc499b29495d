// How the page stands to the server, said only when there is something to say.
import clsx from "clsx";
import { CloudOff, LoaderCircle } from "lucide-react";

export type LinkWords = "live" | "connecting" | "reconnecting" | "offline" | "signed_out" | "outdated";

type Props = { link: LinkWords; attempt?: number; waiting?: number };

export function LinkPill({ link, attempt = 0, waiting = 0 }: Props) {
  const unsent = waiting > 0 ? ` · ${waiting} waiting to be sent` : "";
  const words: Record<LinkWords, string> = {
    live: "",
    connecting: "Connecting…",
    reconnecting: `Reconnecting (${attempt})${unsent}`,
    offline: `Offline${unsent}`,
    signed_out: "Signed out",
    outdated: "This page is out of date: reload it",
  };
  return (
    <div role="status" data-link={link} className="pointer-events-none fixed inset-x-0 top-2 z-40 flex justify-center">
      {link !== "live" && (
        <span
          className={clsx(
            "appear inline-flex items-center gap-2 rounded-full border px-3 py-1 font-medium text-sm shadow-float",
            link === "offline" || link === "connecting"
              ? "border-line bg-raised text-ink-soft"
              : "border-transparent bg-amber-soft text-amber",
            link === "connecting" && "late",
          )}
        >
          {link === "offline" ? (
            <CloudOff aria-hidden="true" size={15} />
          ) : (
            <LoaderCircle aria-hidden="true" size={15} className="animate-spin" />
          )}
          {words[link]}
        </span>
      )}
    </div>
  );
}
