// Changes of mine to a ticket that somebody else was faster with, one row per field: theirs stays, or mine is asked for again.
import { CircleAlert } from "lucide-react";
import { type FieldConflict, fieldConflicts, insisting } from "../../client/conflicts";
import { newKey } from "../../client/ports";
import { Button } from "../../ui/basics";
import type { TicketId } from "../../wire/generated";
import { useLiveState, useSession } from "../session";
import { fieldName, fieldValue } from "../words";

type Props = { ticket: TicketId /** The last event seen. */; seq: number };

export function FieldConflicts({ ticket, seq }: Props) {
  const { live } = useSession();
  const conflicts = fieldConflicts(useLiveState(), ticket);
  if (conflicts.length === 0) return null;
  const decide = (conflict: FieldConflict, isMine: boolean) => {
    live.withdraw(conflict.command.key);
    if (isMine) live.submit(insisting(conflict.command, newKey(), seq));
  };
  return (
    <section
      aria-label="Changes that somebody else was faster with"
      className="appear flex flex-col gap-1 rounded-xl border border-danger-line border-s-4 border-s-danger bg-danger-soft p-1.5"
      data-testid="field-conflicts"
    >
      {conflicts.map((conflict) => (
        <Row key={`${conflict.command.key} ${conflict.field}`} conflict={conflict} onDecide={decide} />
      ))}
    </section>
  );
}

type RowProps = { conflict: FieldConflict; onDecide: (conflict: FieldConflict, isMine: boolean) => void };

function Row({ conflict, onDecide }: RowProps) {
  const { workspace } = useSession();
  const { field, mine, theirs } = conflict;
  const shown = (value: unknown) => fieldValue(field, value, workspace.workflow);
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-2 gap-y-1 ps-2 text-sm">
      <CircleAlert aria-hidden="true" size={15} className="shrink-0 text-danger" />
      <p className="min-w-0 grow basis-52 [overflow-wrap:anywhere]">
        <span className="font-medium">{fieldName(field)}:</span>{" "}
        {theirs ? (
          <>
            {theirs.by.name} set <b className="font-semibold">{shown(newValue(theirs.event))}</b>
          </>
        ) : (
          "something came in between"
        )}
        , you chose <b className="font-semibold">{shown(mine)}</b>
      </p>
      <span className="flex gap-1.5">
        <Button size="small" onClick={() => onDecide(conflict, false)}>
          Keep {theirs ? "theirs" : "as it is"}
        </Button>
        <Button size="small" tone="danger" onClick={() => onDecide(conflict, true)}>
          Apply mine
        </Button>
      </span>
    </div>
  );
}

function newValue(event: NonNullable<FieldConflict["theirs"]>["event"]): unknown {
  return event.type === "status_changed" || event.type === "field_changed" ? event.to : null;
}
