// Who is signed in, and the line to the hub that lives as long as the sign-in. Both pages are built on it.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from "react";
import { type Keep, openKeep } from "../client/keep";
import { LiveClient } from "../client/live";
import { browserWorld } from "../client/ports";
import * as rest from "../client/rest";
import type { Link } from "../client/socket";
import type { Command, Refusal, State } from "../client/state";
import { ClockContext } from "../ui/clock";
import { readSetting, writeSetting } from "../ui/theme";
import { useToast } from "../ui/toasts";
import { json, msgpack } from "../wire/codec";
import type { Audience } from "../wire/generated";
import { publicRefusal } from "./words";
import { startWriting, type Writing } from "./writing/drafts";

export type SignIn =
  | { at: "loading" }
  | { at: "failed"; problem: rest.Problem }
  /** `elsewhere`: while the page was open, so that somebody or something else has ended it. */
  | { at: "signed_out"; why: "never" | "asked" | "ended" | "elsewhere" }
  | { at: "signed_in"; signedIn: rest.SignedIn };

type SignInContext = {
  signIn: SignIn;
  signedIn(value: rest.SignedIn): void;
  signOut(): void;
  ended(): void;
  retry(): void;
};

/** Everything below a sign-in works with. */
export type Session = rest.SignedIn & { live: LiveClient; keep: Keep; writing: Writing; signOut: () => void };

const SignInState = createContext<SignInContext | null>(null);
const SessionContext = createContext<Session | null>(null);

/** Asking who I am without a cookie is a 401 in the console of every visitor: so it is remembered whether there may be one. */
const HINT = "tandem-signed-in";

/** A reply of before a reload goes out by itself if it is younger than this; an older one is shown and waits for a word. */
const SEND_UNASKED_WITHIN_MS = 10 * 60_000;

export function SignInProvider({ children }: { children: ReactNode }) {
  const toast = useToast();
  const [signIn, setSignIn] = useState<SignIn>(() =>
    readSetting(HINT) ? { at: "loading" } : { at: "signed_out", why: "never" },
  );

  useEffect(() => {
    if (signIn.at !== "loading") return;
    let isCurrent = true;
    void rest.whoAmI().then((answer) => {
      if (!isCurrent) return;
      if (answer.ok) setSignIn({ at: "signed_in", signedIn: answer.value });
      else if (answer.problem.code === "unauthenticated") setSignIn(leave("ended"));
      else setSignIn({ at: "failed", problem: answer.problem });
    });
    return () => {
      isCurrent = false;
    };
  }, [signIn]);

  const value = useMemo<SignInContext>(
    () => ({
      signIn,
      signedIn: (signedIn) => {
        writeSetting(HINT, signedIn.user.id);
        setSignIn({ at: "signed_in", signedIn });
      },
      signOut: () => {
        void endSession(toast);
        setSignIn(leave("asked"));
      },
      ended: () => setSignIn(leave("elsewhere")),
      retry: () => setSignIn({ at: "loading" }),
    }),
    [signIn, toast],
  );

  // Another tab has signed out, or somebody else in: both tabs share the cookie.
  const userId = signIn.at === "signed_in" ? signIn.signedIn.user.id : null;
  useEffect(() => {
    if (userId === null) return;
    const follow = ({ key, newValue }: StorageEvent) => {
      if (key === HINT && newValue !== userId) setSignIn({ at: "signed_out", why: "elsewhere" });
    };
    window.addEventListener("storage", follow);
    return () => window.removeEventListener("storage", follow);
  }, [userId]);
  return <SignInState value={value}>{children}</SignInState>;
}

export function useSignIn(): SignInContext {
  return held(useContext(SignInState), "SignInProvider");
}

/** Holds the line open while somebody is signed in. */
export function SessionProvider({ signedIn, children }: { signedIn: rest.SignedIn; children: ReactNode }) {
  const { signOut, ended } = useSignIn();
  const toast = useToast();
  const [session, setSession] = useState<Session | null>(null);
  const queries = useMemo(
    () => new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 30_000, networkMode: "always" } } }),
    [],
  );
  const userId = signedIn.user.id;
  const workspaceId = signedIn.workspace.id;

  // biome-ignore lint/correctness/useExhaustiveDependencies: one line per person, however often the rest is drawn anew
  useEffect(() => {
    const keep = openKeep(workspaceId, userId);
    const onRefused = (command: Command, refusal: Refusal) => toast({ text: publicRefusal(command, refusal) });
    const onDoubt = () => {
      void rest.whoAmI().then((answer) => {
        if (!answer.ok && answer.problem.code === "unauthenticated") live.endSignIn();
      });
    };
    const audiences: readonly Audience[] = rest.isStaff(signedIn.user.role) ? ["public", "internal"] : ["public"];
    const live: LiveClient = new LiveClient(browserWorld(socketAddress()), chosenCodec(), userId, keep.outbox, {
      onRefused,
      onDoubt,
      onDrafts: (ticket, drafts) => writing.drafts.hubHas(ticket, audiences, drafts),
      onDraft: ({ ticket_id, audience, draft }) => writing.drafts.changed(ticket_id, audience, draft),
      onAccepted: ({ ticket_id, audience }) => writing.drafts.accepted(ticket_id, audience),
      onCut: () => writing.drafts.cut(),
    });
    const writing = startWriting(live, keep);
    setSession({ ...signedIn, live, keep, writing, signOut });
    live.start();
    void sendUnsent(live, keep);
    const release = followBrowser(live, writing);
    const stopWatching = live.onChange(() => {
      if (live.getLink().at === "signed_out") ended();
    });
    return () => {
      release();
      stopWatching();
      writing.drafts.stop();
      live.stop();
    };
  }, [userId, workspaceId]);

  if (!session) return null;
  return (
    <QueryClientProvider client={queries}>
      <SessionContext value={session}>
        <ClockContext value={session.live.nowMs}>{children}</ClockContext>
      </SessionContext>
    </QueryClientProvider>
  );
}

export function useSession(): Session {
  return held(useContext(SessionContext), "SessionProvider");
}

/** A part of the state, redrawn only when that part changes. `select` must answer the same thing for the same state. */
export function useLive<T>(select: (state: State) => T): T {
  const { live } = useSession();
  return useSyncExternalStore(live.onChange, () => select(live.getState()));
}

/** The whole state, redrawn with every change of it. */
export function useLiveState(): State {
  const { live } = useSession();
  return useSyncExternalStore(live.onChange, live.getState);
}

export function useLink(): Link {
  const { live } = useSession();
  return useSyncExternalStore(live.onChange, live.getLink);
}

/** Watches a topic while the component is there; the answered function asks again after a refusal. */
export function useTopic(topic: string) {
  const { live } = useSession();
  useEffect(() => live.watch(topic), [live, topic]);
  const again = useCallback(() => live.watchAgain(topic), [live, topic]);
  return { topic: useLive((state) => state.topics[topic]), again };
}

function leave(why: "asked" | "ended" | "elsewhere"): SignIn {
  writeSetting(HINT, null);
  return { at: "signed_out", why };
}

/** Without the hub's word the cookie is still good: that must be known to whoever leaves the device. */
async function endSession(toast: ReturnType<typeof useToast>) {
  const answer = await rest.signOut();
  if (answer.ok || answer.problem.code === "unauthenticated") return;
  toast({
    text: "The server could not be reached: this browser is not signed out yet.",
    action: { label: "Try again", act: () => void endSession(toast) },
  });
}

function socketAddress(): string {
  return `${window.location.protocol === "https:" ? "wss" : "ws"}://${window.location.host}/ws`;
}

/** `?codec=json` shows readable frames in the browser's tools. */
function chosenCodec() {
  return new URLSearchParams(window.location.search).get("codec") === "json" ? json : msgpack;
}

async function sendUnsent(live: LiveClient, keep: Keep) {
  for (const { command, askedAtMs } of await keep.outbox.all()) {
    if (live.nowMs() - askedAtMs < SEND_UNASKED_WITHIN_MS) live.submit(command, askedAtMs);
    else
      live.showUnsent(command, askedAtMs, {
        code: "unavailable",
        message: "The page was closed before this was confirmed.",
        events: [],
      });
  }
}

function followBrowser(live: LiveClient, writing: Writing): () => void {
  const back = () => live.retryNow();
  const gone = () => live.networkLost();
  const seen = () => {
    const isVisible = document.visibilityState === "visible";
    live.announcer.hide(!isVisible);
    if (isVisible) live.retryNow();
    else writing.drafts.flush();
  };
  window.addEventListener("online", back);
  window.addEventListener("offline", gone);
  window.addEventListener("pageshow", back);
  document.addEventListener("visibilitychange", seen);
  return () => {
    window.removeEventListener("online", back);
    window.removeEventListener("offline", gone);
    window.removeEventListener("pageshow", back);
    document.removeEventListener("visibilitychange", seen);
  };
}

function held<T>(value: T | null, provider: string): T {
  if (value === null) throw new Error(`used outside of ${provider}`);
  return value;
}
