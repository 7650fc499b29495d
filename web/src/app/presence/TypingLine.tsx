// Under the thread: who is writing. Customers learn no more than that somebody of the support is.
import { useRef } from "react";
import { colleagues, customerOf, NOBODY_HERE } from "../../client/here";
import type { Here } from "../../client/state";
import { useLive, useSession } from "../session";
import type { Side } from "../thread";

type Props = { topic: string; side: Side };

export function TypingLine({ topic, side }: Props) {
  const { user } = useSession();
  const here = useLive((state) => state.here[topic]) ?? NOBODY_HERE;
  const words = side === "customer" ? supportInWords(here) : staffInWords(here, user.id);
  const first = useRef<string | null>(null);
  first.current ??= words;
  return (
    <>
      <p
        className="mx-auto flex h-5 w-full max-w-3xl items-center gap-2 px-5 text-ink-soft text-xs"
        data-testid="typing"
      >
        {words !== null && (
          <>
            {words.endsWith("…") && (
              <span aria-hidden="true" className="typing-dots">
                <i />
                <i />
                <i />
              </span>
            )}
            <span className="appear truncate">{words}</span>
          </>
        )}
      </p>
      <span role="status" className="sr-only">
        {/* once per visit: whoever listens would otherwise hear nothing else */}
        {words !== null && words === first.current && words}
      </span>
    </>
  );
}

function supportInWords({ support }: Here): string | null {
  return support === "composing" ? "Support is typing…" : null;
}

function staffInWords({ presence, drafting }: Here, myId: string): string | null {
  const customer = customerOf(presence);
  const writing = colleagues(presence, myId).filter(({ state, lost }) => state === "composing" && !lost);
  const typing = customer?.state === "composing" && !customer.lost ? [`${customer.name} is typing…`] : [];
  const colleaguesWords = writing.map(
    ({ name, audience }) => `${name} is writing a ${audience === "internal" ? "note" : "reply"}…`,
  );
  const paused = drafting.filter(({ by }) => by.id !== myId && !writing.some(({ id }) => id === by.id));
  const unsent = paused.map(
    ({ by, audience }) => `${by.name} has an unsent ${audience === "internal" ? "note" : "reply"}`,
  );
  const all = [...typing, ...colleaguesWords, ...unsent];
  return all.length === 0 ? null : all.slice(0, 2).join("  ") + (all.length > 2 ? ` and ${all.length - 2} more` : "");
}
