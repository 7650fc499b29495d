// The title, and changing it.
import { Pencil } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { FieldHint } from "../../../app/presence/FieldHint";
import { useSession } from "../../../app/session";
import { newKey } from "../../../client/ports";
import { mayWork } from "../../../client/rest";
import { Button, inputLook } from "../../../ui/basics";
import type { AgentTicket } from "../../../wire/generated";

/** Longest title the hub takes, in bytes; characters outside of ASCII count more, and the hub has the last word. */
const MAX_TITLE = 500;

type Props = { ticket: AgentTicket /** The last event seen. */; seq: number };

export function Title({ ticket, seq }: Props) {
  const { live, user } = useSession();
  const [edit, setEdit] = useState<{ text: string; basedOn: number } | null>(null);
  const isOpen = edit !== null;
  useEffect(() => {
    if (!isOpen) return;
    live.announcer.edit("title");
    return () => live.announcer.edit(null);
  }, [live, isOpen]);
  if (!edit) {
    return (
      <div className="flex min-w-0 grow items-start gap-1">
        <h2 className="min-w-0 py-1 font-semibold text-lg leading-snug tracking-tight [overflow-wrap:anywhere]">
          {ticket.title}
        </h2>
        <FieldHint ticket={ticket.id} field="title" />
        {mayWork(user.role) && (
          <Button
            size="small"
            tone="quiet"
            aria-label="Change the title"
            onClick={() => setEdit({ text: ticket.title, basedOn: seq })}
          >
            <Pencil aria-hidden="true" size={14} />
          </Button>
        )}
      </div>
    );
  }
  const save = (submitted: FormEvent) => {
    submitted.preventDefault();
    const title = edit.text.trim();
    if (title !== "" && title !== ticket.title) {
      live.submit({ type: "update_ticket", key: newKey(), ticket_id: ticket.id, based_on: edit.basedOn, title });
    }
    setEdit(null);
  };
  return (
    <form onSubmit={save} className="flex grow flex-wrap items-center gap-2">
      <input
        aria-label="Title"
        className={`${inputLook} min-w-40 grow basis-0 font-semibold`}
        value={edit.text}
        maxLength={MAX_TITLE}
        onChange={(change) => setEdit({ ...edit, text: change.target.value })}
        onKeyDown={(pressed) => pressed.key === "Escape" && setEdit(null)}
        // biome-ignore lint/a11y/noAutofocus: the person has just asked to edit this
        autoFocus
      />
      <Button type="submit" tone="primary" size="small">
        Save
      </Button>
      <Button size="small" onClick={() => setEdit(null)}>
        Cancel
      </Button>
    </form>
  );
}
