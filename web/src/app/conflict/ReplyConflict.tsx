// A reply of mine that somebody was faster than, or that somebody else is just writing: both side by side, and nothing is
// sent before I say so. What becomes of the text is left to the reply box.
import { CircleAlert } from "lucide-react";
import { lazy, type RefObject, Suspense, useId, useState } from "react";
import { type PendingPost, publicDeedsAfter } from "../../client/views";
import { Button, inputLook } from "../../ui/basics";
import { TimeAgo } from "../../ui/clock";
import { Markdown } from "../../ui/markdown";
import type { EventRecord } from "../../wire/generated";
import { useLiveState, useSession } from "../session";
import { deed } from "../words";

const WordDiff = lazy(() => import("../../ui/word-diff"));

type Props = {
  post: PendingPost;
  heading: RefObject<HTMLHeadingElement | null>;
  onText: (text: string) => void;
  onEdit: () => void;
  onSendAnyway: () => void;
  /** Null where there are no notes. */
  onNote: (() => void) | null;
  onDiscard: () => void;
};

export function ReplyConflict({ post, heading, onText, onEdit, onSendAnyway, onNote, onDiscard }: Props) {
  const [isCompared, setIsCompared] = useState(false);
  const id = useId();
  const { user } = useSession();
  if (post.fate.at !== "refused") return null;
  const { events, claim } = post.fate.refusal;
  // the hub tells all that I had not seen; what colleagues did among themselves is no reason to wait
  const between = publicDeedsAfter(events, 0, user.id);
  const mine = post.command.body;
  const theirs = lastReply(between);
  return (
    <section
      aria-labelledby={`${id}-title`}
      className="appear overflow-hidden rounded-2xl border border-danger-line border-s-4 border-s-danger bg-surface shadow-float"
      data-testid="conflict"
    >
      <h3
        id={`${id}-title`}
        ref={heading}
        role="alert"
        tabIndex={-1}
        className="flex items-center gap-2 bg-danger-soft px-4 py-2.5 font-semibold text-danger outline-offset-[-3px]"
      >
        <CircleAlert aria-hidden="true" size={17} className="shrink-0" />
        {claim ? `Not sent yet: ${claim.by.name} is answering right now` : `Not sent yet: ${whoActed(between)}`}
      </h3>
      <div className="grid max-h-[38vh] overflow-y-auto sm:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-3 border-line p-4 max-sm:border-b sm:border-e">
          <h4 className="font-medium text-ink-soft text-sm">What came in between</h4>
          {between.length === 0 && (
            <p className="text-sm">
              {claim
                ? `${claim.by.name} has begun a reply to the customer. Two answers would contradict each other, or say the same twice.`
                : "Read the thread above before you decide."}
            </p>
          )}
          {between.map((record) => (
            <Between key={record.seq} record={record} />
          ))}
        </div>
        <div className="flex min-w-0 flex-col gap-2 p-4">
          <div className="flex items-center gap-2">
            <label htmlFor={`${id}-mine`} className="grow font-medium text-ink-soft text-sm">
              Your reply
            </label>
            {theirs !== null && (
              <Button
                size="small"
                tone="quiet"
                aria-pressed={isCompared}
                className="-my-1"
                onClick={() => setIsCompared(!isCompared)}
              >
                {isCompared ? "Hide the differences" : "Show the differences"}
              </Button>
            )}
          </div>
          <textarea
            id={`${id}-mine`}
            dir="auto"
            value={mine}
            onChange={(typed) => onText(typed.target.value)}
            className={`${inputLook} field-sizing-content min-h-20 resize-none`}
          />
          {isCompared && theirs !== null && (
            <Suspense fallback={<p className="late text-ink-soft text-sm">Comparing…</p>}>
              <WordDiff theirs={theirs} mine={mine} />
              <p className="text-ink-soft text-xs">Struck through: only theirs. Underlined: only yours.</p>
            </Suspense>
          )}
        </div>
      </div>
      <div className="flex flex-wrap gap-2 border-line border-t p-3">
        <Button tone="primary" size="small" onClick={onEdit}>
          Edit mine
        </Button>
        <Button size="small" onClick={onSendAnyway} disabled={mine.trim() === ""}>
          Send anyway
        </Button>
        {onNote && (
          <Button size="small" onClick={onNote} disabled={mine.trim() === ""}>
            Turn into note
          </Button>
        )}
        <Button size="small" tone="quiet" onClick={onDiscard}>
          Discard
        </Button>
      </div>
    </section>
  );
}

function Between({ record }: { record: EventRecord }) {
  const { workspace } = useSession();
  const { people } = useLiveState();
  const { event, by } = record;
  const what = deed(event, workspace.workflow, people, by.id);
  if (event.type !== "reply_posted" && what === null) return null;
  return (
    <div>
      <p className="text-sm">
        <span className="font-semibold">{by.name}</span> {what ?? "replied"}{" "}
        <TimeAgo at={record.at} className="text-ink-soft text-xs" />
      </p>
      {event.type === "reply_posted" && <Markdown text={event.body} />}
    </div>
  );
}

function whoActed(between: readonly EventRecord[]): string {
  const last = between.at(-1);
  if (!last) return "something came in between";
  const more = between.length > 1 ? `, and ${between.length - 1} more came in between` : "";
  return `${last.by.name} ${last.event.type === "reply_posted" ? "replied" : "changed the status"} meanwhile${more}`;
}

function lastReply(between: readonly EventRecord[]): string | null {
  const event = between.findLast((record) => record.event.type === "reply_posted")?.event;
  return event?.type === "reply_posted" ? event.body : null;
}
