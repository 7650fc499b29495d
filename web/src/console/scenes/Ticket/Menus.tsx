// Status, assignee and priority: each shows what is and offers what may be.
import clsx from "clsx";
import { ChevronDown, Flag } from "lucide-react";
import type { ReactNode } from "react";
import { useEditing } from "../../../app/presence/announcing";
import { FieldHint } from "../../../app/presence/FieldHint";
import { useLiveState, useSession } from "../../../app/session";
import { labelOf } from "../../../app/words";
import { newKey } from "../../../client/ports";
import { mayWork } from "../../../client/rest";
import { movesFrom, statusOf } from "../../../client/views";
import { Avatar, PRIORITIES, StatusChip } from "../../../ui/basics";
import { Menu, MenuChoices } from "../../../ui/menu";
import type { AgentTicket, Priority, TicketId } from "../../../wire/generated";

type Props = { ticket: AgentTicket };
type WithSeq = Props & { /** The last event seen. */ seq: number };

const look =
  "inline-flex min-h-9 items-center gap-1.5 rounded-lg px-2 text-sm hover:bg-sunken disabled:hover:bg-transparent";
const NOBODY = "";

export function StatusMenu({ ticket, seq }: WithSeq) {
  const { live, workspace, user } = useSession();
  const { workflow } = workspace;
  const present = statusOf(workflow, ticket.status);
  const choices = [...(present ? [present] : []), ...movesFrom(workflow, ticket.status)].map((status) => ({
    value: status.id,
    label: <StatusChip status={status} fallback={status.id} />,
  }));
  const change = (status: string) =>
    live.submit({ type: "change_status", key: newKey(), ticket_id: ticket.id, status, based_on: seq });
  const edit = useEditing("status");
  return (
    <Menu
      label={`Status: ${labelOf(workflow, ticket.status)}`}
      triggerLook={clsx(look, "-ms-2")}
      onOpen={edit}
      disabled={!mayWork(user.role)}
      trigger={
        <Trigger ticket={ticket.id} field="status">
          <StatusChip status={present} fallback={ticket.status} />
        </Trigger>
      }
    >
      <MenuChoices heading="Status" value={ticket.status} choices={choices} onChoose={change} />
    </Menu>
  );
}

export function AssigneeMenu({ ticket }: Props) {
  const { live, user } = useSession();
  const { people } = useLiveState();
  const name = people.find(({ id }) => id === ticket.assignee_id)?.name;
  const words = ticket.assignee_id === null ? "Unassigned" : (name ?? "Assigned");
  const others = people.filter(({ id }) => id !== user.id);
  const me = people.filter(({ id }) => id === user.id);
  const choices = [
    { value: NOBODY, label: <Person name="Nobody" isNobody /> },
    ...me.map((person) => ({ value: person.id, label: <Person name={`${person.name} (me)`} /> })),
    ...others.map((person) => ({ value: person.id, label: <Person name={person.name} /> })),
  ];
  const assign = (id: string) =>
    live.submit({ type: "assign", key: newKey(), ticket_id: ticket.id, assignee_id: id || null });
  const edit = useEditing("assignee");
  return (
    <Menu
      label={`Assignee: ${words}`}
      triggerLook={look}
      onOpen={edit}
      disabled={!mayWork(user.role)}
      trigger={
        <Trigger ticket={ticket.id} field="assignee">
          <Person name={words} isNobody={ticket.assignee_id === null} />
        </Trigger>
      }
    >
      <MenuChoices heading="Assignee" value={ticket.assignee_id ?? NOBODY} choices={choices} onChoose={assign} />
    </Menu>
  );
}

export function PriorityMenu({ ticket, seq }: WithSeq) {
  const { live, user } = useSession();
  const names: readonly Priority[] = ["p1", "p2", "p3", "p4"];
  const choices = names.map((value) => ({ value, label: <Level priority={value} /> }));
  const change = (priority: Priority) =>
    live.submit({ type: "update_ticket", key: newKey(), ticket_id: ticket.id, based_on: seq, priority });
  const edit = useEditing("priority");
  return (
    <Menu
      label={`Priority: ${PRIORITIES[ticket.priority].label}`}
      triggerLook={look}
      onOpen={edit}
      disabled={!mayWork(user.role)}
      trigger={
        <Trigger ticket={ticket.id} field="priority">
          <Level priority={ticket.priority} />
        </Trigger>
      }
    >
      <MenuChoices heading="Priority" value={ticket.priority} choices={choices} onChoose={change} />
    </Menu>
  );
}

type TriggerProps = { ticket: TicketId; field: string; children: ReactNode };

function Trigger({ ticket, field, children }: TriggerProps) {
  return (
    <>
      {children}
      <FieldHint ticket={ticket} field={field} />
      <ChevronDown aria-hidden="true" size={14} className="text-ink-soft" />
    </>
  );
}

function Person({ name, isNobody = false }: { name: string; isNobody?: boolean }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <Avatar name={name} tone={isNobody ? "nobody" : "staff"} /> {name}
    </span>
  );
}

function Level({ priority }: { priority: Priority }) {
  const { label, look: colour } = PRIORITIES[priority];
  return (
    <span className={clsx("inline-flex items-center gap-1.5", colour)}>
      <Flag aria-hidden="true" size={14} /> {label}
    </span>
  );
}
