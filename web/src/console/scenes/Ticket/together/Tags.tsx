// A ticket's tags. Adding and removing merges with what others do: nothing here can conflict.
import { Plus, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useSession } from "../../../../app/session";
import { newKey } from "../../../../client/ports";
import { mayWork } from "../../../../client/rest";
import { Button, inputLook } from "../../../../ui/basics";
import type { AgentTicket } from "../../../../wire/generated";

/** Longest tag the hub takes, in bytes; the hub has the last word. */
const MAX_TAG = 50;

export function Tags({ ticket }: { ticket: AgentTicket }) {
  const { live, user } = useSession();
  const [text, setText] = useState<string | null>(null);
  const isEditable = mayWork(user.role);
  const change = (add: string[], remove: string[]) =>
    live.submit({ type: "change_tags", key: newKey(), ticket_id: ticket.id, add, remove });
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    const tags = (text ?? "")
      .split(",")
      .map((tag) => tag.trim().toLowerCase())
      .filter((tag) => tag !== "" && !ticket.tags.includes(tag));
    if (tags.length > 0) change(tags, []);
    setText(tags.length > 0 ? "" : null);
  };
  if (!isEditable && ticket.tags.length === 0) return null;
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {ticket.tags.length > 0 && (
        <ul aria-label="Tags" className="flex flex-wrap gap-1.5">
          {ticket.tags.map((tag) => (
            <li
              key={tag}
              className="inline-flex min-h-6 items-center gap-0.5 rounded-md bg-sunken ps-2 pe-0.5 text-ink-soft text-xs"
            >
              <span className="py-0.5 pe-1">{tag}</span>
              {isEditable && (
                <button
                  type="button"
                  aria-label={`Remove the tag ${tag}`}
                  onClick={() => change([], [tag])}
                  className="inline-flex size-6 items-center justify-center rounded hover:bg-line hover:text-ink"
                >
                  <X aria-hidden="true" size={12} />
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {isEditable && text === null && (
        <Button size="small" tone="quiet" className="min-h-6 px-1.5 text-xs" onClick={() => setText("")}>
          <Plus aria-hidden="true" size={13} /> Tag
        </Button>
      )}
      {text !== null && (
        <form onSubmit={submit}>
          <input
            aria-label="New tag"
            className={`${inputLook} w-36 px-2 py-0.5 text-xs`}
            value={text}
            maxLength={MAX_TAG}
            onChange={(typed) => setText(typed.target.value)}
            onBlur={() => text.trim() === "" && setText(null)}
            onKeyDown={(pressed) => pressed.key === "Escape" && setText(null)}
            // biome-ignore lint/a11y/noAutofocus: the person has just asked to add a tag
            autoFocus
          />
        </form>
      )}
    </div>
  );
}
