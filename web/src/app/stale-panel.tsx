// A reply of mine that was written without knowing what came in between: both side by side, and nothing is sent before I say so.
import { CircleAlert } from "lucide-react";
import type { PendingPost } from "../client/views";
import { Button } from "../ui/basics";
import { TimeAgo } from "../ui/clock";
import { Markdown } from "../ui/markdown";
import type { EventRecord } from "../wire/generated";
import { useLiveState, useSession } from "./session";
import { deed } from "./words";

type Props = {
  post: PendingPost;
  onEdit: () => void;
  onSendAnyway: () => void;
  /** Null where there are no notes. */
  onNote: (() => void) | null;
};

export function StalePanel({ post, onEdit, onSendAnyway, onNote }: Props) {
  const between = post.fate.at === "refused" ? post.fate.refusal.events : [];
  return (
    <section
      aria-labelledby="stale-title"
      className="appear overflow-hidden rounded-2xl border border-danger-line bg-surface shadow-float"
      data-testid="stale-panel"
    >
      <h3
        id="stale-title"
        role="alert"
        className="flex items-center gap-2 bg-danger-soft px-4 py-2.5 font-semibold text-danger"
      >
        <CircleAlert aria-hidden="true" size={17} />
        Not sent yet: something came in between
      </h3>
      <div className="grid max-h-[38vh] overflow-y-auto sm:grid-cols-2" tabIndex={-1}>
        <div className="flex flex-col gap-3 border-line p-4 max-sm:border-b sm:border-e">
          <h4 className="font-medium text-ink-soft text-sm">What came in between</h4>
          {between.length === 0 && <p className="text-sm">Read the thread above before you decide.</p>}
          {between.map((record) => (
            <Between key={record.seq} record={record} />
          ))}
        </div>
        <div className="flex flex-col gap-3 p-4">
          <h4 className="font-medium text-ink-soft text-sm">Your reply</h4>
          <Markdown text={post.command.body} />
        </div>
      </div>
      <div className="flex flex-wrap gap-2 border-line border-t p-3">
        <Button tone="primary" size="small" onClick={onEdit}>
          Edit mine
        </Button>
        <Button size="small" onClick={onSendAnyway}>
          Send anyway
        </Button>
        {onNote && (
          <Button size="small" tone="quiet" onClick={onNote}>
            Keep it as a note
          </Button>
        )}
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
        <span className="font-semibold">{by.name}</span> {what}{" "}
        <TimeAgo at={record.at} className="text-ink-soft text-xs" />
      </p>
      {event.type === "reply_posted" && <Markdown text={event.body} />}
    </div>
  );
}
