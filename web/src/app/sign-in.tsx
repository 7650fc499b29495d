// The way in, for both pages: workspace, e-mail, password, and plain words when they do not fit.
import { type FormEvent, type ReactNode, useState } from "react";
import * as rest from "../client/rest";
import { Button, Field, inputLook, LoadFailed, Skeleton } from "../ui/basics";
import { LinkPill } from "../ui/link-pill";
import { Mark } from "../ui/mark";
import { readSetting, writeSetting } from "../ui/theme";
import { SessionProvider, useSignIn } from "./session";
import { signInProblem } from "./words";

const LAST_WORKSPACE = "tandem-workspace";

type Props = { title: string; welcome: string; children: ReactNode };

/** Shows what is behind the sign-in, or the way in. */
export function SignInGate({ title, welcome, children }: Props) {
  const { signIn, retry } = useSignIn();
  switch (signIn.at) {
    case "loading":
      return (
        <main className="mx-auto max-w-xl pt-16">
          <Skeleton lines={3} />
        </main>
      );
    case "failed":
      return (
        <main className="pt-16">
          <LoadFailed what="Your sign-in" why={signIn.problem.detail} onRetry={retry} />
        </main>
      );
    case "signed_out":
      return <SignInForm title={title} welcome={welcome} why={signIn.why} />;
    case "signed_in":
      return <SessionProvider signedIn={signIn.signedIn}>{children}</SessionProvider>;
  }
}

type SignInFormProps = { title: string; welcome: string; why: "never" | "asked" | "ended" | "elsewhere" };

function SignInForm({ title, welcome, why }: SignInFormProps) {
  const hasEnded = why === "ended" || why === "elsewhere";
  const { signedIn } = useSignIn();
  const [workspace, setWorkspace] = useState(() => readSetting(LAST_WORKSPACE) ?? "");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState<rest.Problem | null>(null);
  const [isBusy, setIsBusy] = useState(false);

  const submit = async (submitted: FormEvent) => {
    submitted.preventDefault();
    setIsBusy(true);
    setProblem(null);
    const answer = await rest.signIn(workspace.trim().toLowerCase(), email.trim(), password);
    setIsBusy(false);
    if (!answer.ok) return setProblem(answer.problem);
    writeSetting(LAST_WORKSPACE, answer.value.workspace.slug);
    signedIn(answer.value);
  };

  return (
    <main className="flex min-h-full flex-col items-center px-4 py-10 sm:justify-center">
      {why === "elsewhere" && <LinkPill link="signed_out" />}
      <div className="appear w-full max-w-sm">
        <div className="mb-6 flex flex-col items-center gap-3 text-center">
          <Mark size={44} />
          <h1 className="font-semibold text-2xl tracking-tight">{title}</h1>
          <p className="text-ink-soft">{welcome}</p>
        </div>
        {hasEnded && (
          <p role="status" className="mb-4 rounded-lg bg-amber-soft px-4 py-3 text-amber text-sm">
            Your sign-in has ended. Sign in again to go on where you were; your drafts are kept.
          </p>
        )}
        <form
          onSubmit={submit}
          className="flex flex-col gap-4 rounded-2xl border border-line bg-surface p-6 shadow-float"
        >
          <Field label="Workspace" hint="The short name of your organisation" problem={problem?.fields["workspace"]}>
            {(ids) => (
              <input
                {...ids}
                name="organization"
                className={inputLook}
                value={workspace}
                onChange={(change) => setWorkspace(change.target.value)}
                autoComplete="organization"
                autoCapitalize="none"
                spellCheck={false}
                required
              />
            )}
          </Field>
          <Field label="E-mail" problem={problem?.fields["email"]}>
            {(ids) => (
              <input
                {...ids}
                name="email"
                type="email"
                className={inputLook}
                value={email}
                onChange={(change) => setEmail(change.target.value)}
                autoComplete="username"
                required
              />
            )}
          </Field>
          <Field label="Password" problem={problem?.fields["password"]}>
            {(ids) => (
              <input
                {...ids}
                name="password"
                type="password"
                className={inputLook}
                value={password}
                onChange={(change) => setPassword(change.target.value)}
                autoComplete="current-password"
                required
              />
            )}
          </Field>
          {problem && (
            <p role="alert" className="rounded-lg bg-danger-soft px-3 py-2 text-danger text-sm">
              {signInProblem(problem)}
            </p>
          )}
          <Button type="submit" tone="primary" disabled={isBusy}>
            {isBusy ? "Signing in…" : "Sign in"}
          </Button>
        </form>
      </div>
    </main>
  );
}
