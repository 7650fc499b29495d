// Opening a ticket. However often the request has to be repeated, it becomes one ticket.
import { type FormEvent, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { useSession } from "../../app/session";
import { newKey } from "../../client/ports";
import { createTicket, type Problem } from "../../client/rest";
import { Button, Field, inputLook } from "../../ui/basics";
import { readSetting, writeSetting } from "../../ui/theme";
import { useTitle } from "../../ui/title";

/** What is being asked, with the key of the request that would ask it. */
type Question = { title: string; description: string; key: string };

export function Ask() {
  const { live, workspace, user } = useSession();
  const navigate = useNavigate();
  const place = `tandem-question-${workspace.id}-${user.id}`;
  const [question, setQuestion] = useState<Question>(() => readQuestion(place));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const sent = useRef<Question | null>(null);
  useTitle(`New ticket · ${workspace.name}`);

  const change = (part: Partial<Question>) => {
    // another text is another intent, but only once the first may have arrived
    const key = sent.current?.key === question.key ? newKey() : question.key;
    const next = { ...question, ...part, key };
    setQuestion(next);
    writeSetting(place, JSON.stringify(next));
  };

  const submit = async (submitted: FormEvent) => {
    submitted.preventDefault();
    setIsBusy(true);
    setProblem(null);
    sent.current = question;
    const { title, description, key } = question;
    const answer = await createTicket({ title: title.trim(), description }, key);
    setIsBusy(false);
    if (!answer.ok) return setProblem(answer.problem);
    writeSetting(place, null);
    live.happen({ type: "local:rows_loaded", tickets: [answer.value] });
    navigate(`/t/${answer.value.id}`, { replace: true });
  };

  return (
    <div className="h-full overflow-y-auto">
      <form onSubmit={submit} className="mx-auto flex max-w-3xl flex-col gap-5 px-4 py-6">
        <h1 className="font-semibold text-2xl tracking-tight">New ticket</h1>
        <Field label="What is it about?" problem={problem?.fields["title"]}>
          {(ids) => (
            <input
              {...ids}
              className={inputLook}
              value={question.title}
              onChange={(typed) => change({ title: typed.target.value })}
              maxLength={200}
              dir="auto"
              required
            />
          )}
        </Field>
        <Field
          label="Tell us more"
          hint="What did you do, what did you expect, what happened instead? Markdown works."
          problem={problem?.fields["description"]}
        >
          {(ids) => (
            <textarea
              {...ids}
              className={`${inputLook} field-sizing-content max-h-[50vh] min-h-40 resize-none`}
              value={question.description}
              onChange={(typed) => change({ description: typed.target.value })}
              rows={7}
              dir="auto"
              required
            />
          )}
        </Field>
        {problem && (
          <p role="alert" className="rounded-lg bg-danger-soft px-3 py-2 text-danger text-sm">
            {problem.detail} Your text is still here: try again.
          </p>
        )}
        <div className="flex gap-2">
          <Button
            type="submit"
            tone="primary"
            disabled={isBusy || question.title.trim() === "" || question.description.trim() === ""}
          >
            {isBusy ? "Sending…" : "Send"}
          </Button>
          <Button tone="quiet" onClick={() => navigate("/")}>
            Cancel
          </Button>
        </div>
      </form>
    </div>
  );
}

function readQuestion(place: string): Question {
  const empty = { title: "", description: "", key: newKey() };
  try {
    const kept: unknown = JSON.parse(readSetting(place) ?? "null");
    return isQuestion(kept) ? kept : empty;
  } catch {
    return empty;
  }
}

function isQuestion(value: unknown): value is Question {
  return (
    typeof value === "object" &&
    value !== null &&
    "title" in value &&
    "description" in value &&
    "key" in value &&
    [value.title, value.description, value.key].every((text) => typeof text === "string")
  );
}
