// Two of my own windows hold two texts of one draft: both are shown, and I choose. Neither is lost before.
import { CopyCheck } from "lucide-react";
import type { DraftView } from "../../client/drafts";
import { Button } from "../../ui/basics";
import { TimeAgo } from "../../ui/clock";

type Props = { draft: DraftView; onChoose: (choice: "other" | "mine" | "both") => void };

export function DraftConflict({ draft, onChoose }: Props) {
  const { other } = draft;
  if (!other) return null;
  return (
    <section
      aria-label="Another text of yours"
      data-testid="draft-conflict"
      className="appear rounded-2xl border border-amber/40 border-s-4 border-s-amber bg-surface"
    >
      <p role="alert" className="flex items-center gap-2 px-4 pt-2.5 font-semibold text-amber text-sm">
        <CopyCheck aria-hidden="true" size={16} className="shrink-0" />
        <span>
          You have written something else in another window (<TimeAgo at={other.updated_at} />)
        </span>
      </p>
      <blockquote
        dir="auto"
        className="mx-4 my-2 max-h-32 overflow-y-auto whitespace-pre-wrap border-line-strong border-s-2 ps-3 text-sm [overflow-wrap:anywhere]"
      >
        {other.body}
      </blockquote>
      <div className="flex flex-wrap gap-2 border-line border-t p-2.5">
        <Button size="small" tone="primary" onClick={() => onChoose("both")}>
          Keep both
        </Button>
        <Button size="small" onClick={() => onChoose("mine")}>
          Keep the one below
        </Button>
        <Button size="small" onClick={() => onChoose("other")}>
          Take the other
        </Button>
      </div>
    </section>
  );
}
