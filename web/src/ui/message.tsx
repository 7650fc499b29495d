// One entry of a thread: a message, a note, or a line about what was done.
import clsx from "clsx";
import { CircleAlert, Clock, Lock } from "lucide-react";
import type { ReactNode } from "react";
import { Avatar, Button } from "./basics";
import { TimeAgo, useTimeOfDay } from "./clock";
import { Markdown } from "./markdown";

export type MessageLook = "theirs" | "ours" | "note" | "failed";

type MessageProps = {
  author: string;
  /** Beside the name, such as "Customer". */
  role?: string;
  look: MessageLook;
  at: string;
  body: string;
  /** Such as "sent without having seen the message before". */
  remark?: string;
  /** Names that it calls, one per line. */
  mentions?: string;
  /** Beside the name, what it means to the reader: "mentions you". */
  badge?: string | undefined;
  children?: ReactNode;
  seq?: number;
};

export function Message({ author, role, look, at, body, remark, mentions, badge, children, seq }: MessageProps) {
  return (
    <article
      aria-label={`${look === "note" ? "Internal note" : "Message"} from ${author}`}
      data-seq={seq}
      className={clsx(
        "flex gap-3 rounded-2xl border p-4",
        look === "theirs" && "border-line bg-surface",
        look === "ours" && "border-transparent bg-accent-soft",
        look === "note" && "border-note-line bg-note",
        look === "failed" && "border-danger-line bg-danger-soft",
      )}
    >
      <Avatar name={author} tone={look === "theirs" ? "person" : "staff"} />
      <div className="min-w-0 grow">
        <header className="mb-1 flex flex-wrap items-baseline gap-x-2 text-sm">
          <span className="font-semibold">{author}</span>
          {look === "note" ? (
            <span className="inline-flex items-center gap-1 font-medium text-note-ink text-xs">
              <Lock aria-hidden="true" size={12} /> Internal note
            </span>
          ) : (
            role && <span className="text-ink-soft text-xs">{role}</span>
          )}
          <TimeAgo at={at} className="text-ink-soft text-xs" />
          {badge && (
            <span className="rounded-full bg-accent px-2 py-px font-medium text-on-accent text-xs">{badge}</span>
          )}
        </header>
        <Markdown text={body} {...(mentions && { mentions })} />
        {remark && <p className="mt-2 text-ink-soft text-xs">{remark}</p>}
        {children}
      </div>
    </article>
  );
}

export function Sending({ words }: { words: string }) {
  return (
    <p className="mt-2 flex items-center gap-1.5 text-ink-soft text-xs">
      <Clock aria-hidden="true" size={13} /> {words}
    </p>
  );
}

type NotSentProps = { why: string; onRetry: () => void; onEdit: () => void; onCopy: () => void };

export function NotSent({ why, onRetry, onEdit, onCopy }: NotSentProps) {
  return (
    <div role="alert" className="mt-3 flex flex-wrap items-center gap-2 text-danger text-sm">
      <CircleAlert aria-hidden="true" size={15} />
      <p className="min-w-0 grow basis-52">
        <strong className="font-semibold">Not sent:</strong> {why}
      </p>
      <Button size="small" onClick={onRetry}>
        Retry
      </Button>
      <Button size="small" onClick={onEdit}>
        Edit
      </Button>
      <Button size="small" onClick={onCopy}>
        Copy
      </Button>
    </div>
  );
}

/** Stands between what its reader knew and what came since. */
export function NewSince({ at }: { at: string }) {
  return (
    <div className="flex items-center gap-3 font-medium text-danger text-xs">
      <span aria-hidden="true" className="h-px grow bg-danger-line" />
      New since {useTimeOfDay(at)}
      <span aria-hidden="true" className="h-px grow bg-danger-line" />
    </div>
  );
}

/** A long row of quiet lines, folded away until somebody wants to know. */
export function FoldedActivity({ summary, children }: { summary: string; children: ReactNode }) {
  return (
    <details className="group ps-4 text-ink-soft text-sm">
      <summary className="cursor-pointer rounded-lg marker:text-ink-soft hover:text-ink">{summary}</summary>
      <div className="mt-2 flex flex-col gap-2">{children}</div>
    </details>
  );
}

/** A message that can still be taken back. */
export function Held({ words, children }: { words: string; children?: ReactNode }) {
  return (
    <div className="mt-2 flex flex-wrap items-center gap-2 text-ink-soft text-xs">
      <Clock aria-hidden="true" size={13} />
      <span role="timer" aria-live="off">
        {words}
      </span>
      {children}
    </div>
  );
}

/** What somebody did, in one quiet line. */
export function Activity({
  author,
  what,
  at,
  note,
  seq,
}: {
  author: string;
  what: string;
  at: string;
  note?: string | undefined;
  seq: number;
}) {
  return (
    <p data-seq={seq} className="rounded-lg ps-4 text-ink-soft text-sm">
      <span className="font-medium text-ink">{author}</span> {what} · <TimeAgo at={at} />
      {note && <span className="mt-0.5 block border-note-line border-s-2 ps-2">{note}</span>}
    </p>
  );
}
