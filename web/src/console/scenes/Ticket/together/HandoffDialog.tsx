// Giving a ticket to somebody else: to whom, and what the next one has to know. Loaded when somebody asks for it.
import { type FormEvent, useState } from "react";
import { useLive, useSession } from "../../../../app/session";
import { useDraft } from "../../../../app/writing/drafts";
import { newKey } from "../../../../client/ports";
import { Button, Field, inputLook } from "../../../../ui/basics";
import { Dialog } from "../../../../ui/dialog";
import type { AgentTicket } from "../../../../wire/generated";

type Props = { ticket: AgentTicket; isOpen: boolean; onOpen: (isOpen: boolean) => void };

export default function HandoffDialog({ ticket, isOpen, onOpen }: Props) {
  return (
    <Dialog isOpen={isOpen} onOpen={onOpen} title={`Hand over ${ticket.number}`}>
      <HandoffForm ticket={ticket} onDone={() => onOpen(false)} />
    </Dialog>
  );
}

/** Made anew each time the dialog opens. */
function HandoffForm({ ticket, onDone }: { ticket: AgentTicket; onDone: () => void }) {
  const { live, user, writing } = useSession();
  const people = useLive((state) => state.people).filter(({ id }) => id !== user.id);
  const teams = useLive((state) => state.teams);
  const draft = useDraft(ticket.id, "public");
  const hasDraft = draft.body.trim() !== "";
  const [to, setTo] = useState("");
  const [note, setNote] = useState("");
  const [withDraft, setWithDraft] = useState(true);
  const [keepsWatching, setKeepsWatching] = useState(true);
  const [isBusy, setIsBusy] = useState(false);

  const submit = async (submitted: FormEvent) => {
    submitted.preventDefault();
    const [kind, id] = to.split(":");
    if (id === undefined || note.trim() === "") return;
    setIsBusy(true);
    const gives = hasDraft && withDraft;
    // the hub gives along what it has stored
    if (gives) await writing.drafts.settled(ticket.id, "public");
    const target = kind === "team" ? { to_team_id: id } : { to_id: id };
    const along = gives ? { with_draft: true as const } : {};
    live.submit({ type: "hand_over", key: newKey(), ticket_id: ticket.id, ...target, note: note.trim(), ...along });
    const isWatching = ticket.watcher_ids?.includes(user.id) ?? false;
    if (keepsWatching !== isWatching)
      live.submit({ type: "watch", key: newKey(), ticket_id: ticket.id, on: keepsWatching });
    live.announcer.finish();
    onDone();
  };

  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="To">
        {(ids) => (
          <select {...ids} className={inputLook} value={to} onChange={(chosen) => setTo(chosen.target.value)} required>
            <option value="" disabled>
              Choose a colleague or a team
            </option>
            <optgroup label="Colleagues">
              {people.map(({ id, name }) => (
                <option key={id} value={`person:${id}`}>
                  {name}
                </option>
              ))}
            </optgroup>
            {teams.length > 0 && (
              <optgroup label="Teams">
                {teams.map(({ id, name }) => (
                  <option key={id} value={`team:${id}`}>
                    {name}
                  </option>
                ))}
              </optgroup>
            )}
          </select>
        )}
      </Field>
      <Field label="Handoff note" hint="What the next one has to know. The customer never sees it.">
        {(ids) => (
          <textarea
            {...ids}
            className={`${inputLook} field-sizing-content max-h-60 min-h-24 resize-none`}
            value={note}
            onChange={(typed) => setNote(typed.target.value)}
            dir="auto"
            required
          />
        )}
      </Field>
      {hasDraft && (
        <Tick isOn={withDraft} onChange={setWithDraft}>
          Include my draft
        </Tick>
      )}
      <Tick isOn={keepsWatching} onChange={setKeepsWatching}>
        Keep watching
      </Tick>
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" tone="primary" disabled={isBusy || to === "" || note.trim() === ""}>
          Hand over
        </Button>
      </div>
    </form>
  );
}

function Tick({ isOn, onChange, children }: { isOn: boolean; onChange: (isOn: boolean) => void; children: string }) {
  return (
    <label className="flex min-h-6 items-center gap-2.5 text-sm">
      <input
        type="checkbox"
        className="size-4.5 accent-accent"
        checked={isOn}
        onChange={(change) => onChange(change.target.checked)}
      />
      {children}
    </label>
  );
}
