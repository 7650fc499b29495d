// Colleagues as small round pictures: what somebody does shows in the ring and is said in words.
import clsx from "clsx";
import { Eye, Pencil } from "lucide-react";
import type { Audience, Presence } from "../wire/generated";
import { Avatar } from "./basics";

/** More than these are counted. */
const MOST = 5;

/** @param presence whoever does most first */
export function AvatarStack({ presence, nowMs }: { presence: readonly Presence[]; nowMs: number }) {
  if (presence.length === 0) return null;
  const shown = presence.slice(0, MOST);
  const more = presence.slice(MOST);
  return (
    <ul aria-label="Also here" className="flex items-center -space-x-1">
      {shown.map((one) => (
        <li key={one.id} title={inWords(one, nowMs)} data-presence={one.state}>
          <PresenceAvatar one={one} />
          <span className="sr-only">{inWords(one, nowMs)}</span>
        </li>
      ))}
      {more.length > 0 && (
        <li
          title={more.map((one) => inWords(one, nowMs)).join("\n")}
          className="inline-flex size-7 items-center justify-center rounded-full bg-sunken font-semibold text-[11px] text-ink-soft ring-2 ring-surface"
        >
          +{more.length}
          <span className="sr-only"> more: {more.map(({ name }) => name).join(", ")}</span>
        </li>
      )}
    </ul>
  );
}

/** The ring: solid for a reply, dashed for a note, none for looking; pale for elsewhere. */
export function PresenceAvatar({ one }: { one: Presence }) {
  const isComposing = one.state === "composing" && !one.lost;
  return (
    <span
      className={clsx(
        "inline-flex rounded-full bg-surface p-[2px]",
        isComposing && one.audience !== "internal" && "outline-2 outline-accent -outline-offset-1",
        isComposing && one.audience === "internal" && "outline-2 outline-note-ink -outline-offset-1 outline-dashed",
        (one.state === "idle" || one.lost) && "*:opacity-50",
      )}
    >
      <Avatar name={one.name} tone={one.kind === "customer" ? "person" : "staff"} />
    </span>
  );
}

/** Beside a row of a list: an eye or a pencil, and who does most. */
export function RowPresence({ presence }: { presence: readonly Presence[] }) {
  const [first] = presence;
  if (!first) return null;
  const isComposing = first.state === "composing" && !first.lost;
  const others = presence.length > 1 ? `, and ${presence.length - 1} more` : "";
  const words = `${first.name}: ${does(first.state, first.audience)}${others}`;
  const Icon = isComposing ? Pencil : Eye;
  return (
    <span
      title={words}
      data-row-presence={first.state}
      className={clsx(
        "inline-flex shrink-0 items-center gap-1 rounded-full px-1.5 py-0.5 font-medium text-[11px]",
        isComposing && first.audience !== "internal" && "bg-accent text-on-accent",
        isComposing && first.audience === "internal" && "bg-note-ink text-note",
        !isComposing && "bg-sunken text-ink-soft ring-1 ring-line ring-inset",
      )}
    >
      <Icon aria-hidden="true" size={12} />
      <span className="sr-only">{words}</span>
      <span aria-hidden="true">
        {initialsOf(first.name)}
        {presence.length > 1 && `+${presence.length - 1}`}
      </span>
    </span>
  );
}

/** "replying", "writing a note", "looking", "has it open". */
export function does(state: Presence["state"], audience: Audience | undefined): string {
  if (state === "idle") return "has it open, is elsewhere";
  if (state === "viewing") return "looking";
  return audience === "internal" ? "writing a note" : "replying";
}

function inWords({ name, state, audience, since, lost, field }: Presence, nowMs: number): string {
  if (lost) return `${name}: connection lost`;
  const minutes = Math.floor((nowMs - Date.parse(since)) / 60_000);
  const lasting = minutes >= 1 ? `, ${minutes} min` : "";
  return `${name}: ${does(state, audience)}${lasting}${field ? ` (at the ${field})` : ""}`;
}

function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  return `${words[0]?.[0] ?? "?"}${words.length > 1 ? (words.at(-1)?.[0] ?? "") : ""}`.toUpperCase();
}
