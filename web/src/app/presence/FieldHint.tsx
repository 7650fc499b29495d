// A colleague has this field open: no more than a hint, nobody is kept from anything.
import { editorOf, NOBODY_HERE } from "../../client/here";
import { Avatar } from "../../ui/basics";
import type { TicketId } from "../../wire/generated";
import { useLive, useSession } from "../session";

export function FieldHint({ ticket, field }: { ticket: TicketId; field: string }) {
  const { user } = useSession();
  const editor = useLive((state) => editorOf((state.here[`ticket:${ticket}`] ?? NOBODY_HERE).presence, field, user.id));
  if (!editor) return null;
  const words = `${editor.name} has this open`;
  return (
    <span title={words} data-field-hint={field} className="inline-flex scale-75 rounded-full ring-2 ring-accent">
      <span className="sr-only">{words}</span>
      <Avatar name={editor.name} tone="staff" />
    </span>
  );
}
