// A reply that the hub holds back for a moment: it stands in the thread, counts down, and can be taken back. Also after a reload.
import { type RefObject, useCallback, useContext, useEffect, useState } from "react";
import { newKey } from "../../client/ports";
import { type HeldReply, heldReplies } from "../../client/views";
import { Button } from "../../ui/basics";
import { ClockContext } from "../../ui/clock";
import { Held, Message } from "../../ui/message";
import type { TicketId } from "../../wire/generated";
import type { ReplyBoxHandle } from "../reply-box";
import { useLive, useSession } from "../session";
import { useUndo } from "../undo";

type Props = { ticket: TicketId; held: HeldReply; replyBox: RefObject<ReplyBoxHandle | null> };

export function HeldBubble({ ticket, held, replyBox }: Props) {
  const { live, user } = useSession();
  const { key, record, body, audience, releaseAt } = held;
  const seconds = useSecondsUntil(releaseAt);
  const undo = useUndo();
  const isMine = record.by.id === user.id;
  const isAsked = useLive(({ pending }) =>
    pending.some(({ command }) => command.type === "cancel_held" && command.held_key === key),
  );
  const takeBack = useCallback(() => {
    live.submit({ type: "cancel_held", key: newKey(), ticket_id: ticket, held_key: key });
    // the text comes back as my draft; the caret waits for it
    replyBox.current?.focus(audience);
  }, [live, ticket, key, audience, replyBox]);
  useEffect(() => {
    if (!isMine) return;
    const isStillHeld = () =>
      heldReplies(live.getState().topics[`ticket:${ticket}`]?.events ?? []).some((one) => one.key === key);
    return undo.offer(takeBack, isStillHeld);
  }, [isMine, undo, takeBack, live, ticket, key]);
  const sending = seconds > 0 ? `Sending in ${seconds} s` : "Sending…";
  return (
    <Message author={record.by.name} look={audience === "internal" ? "note" : "ours"} at={record.at} body={body}>
      <Held words={isAsked ? "Taking it back…" : sending}>
        {isMine && !isAsked && (
          <Button
            size="small"
            title="z, or Ctrl+Z in the empty composer"
            aria-keyshortcuts="z Control+Z"
            onClick={takeBack}
          >
            Undo <kbd className="font-mono text-ink-soft">z</kbd>
          </Button>
        )}
      </Held>
    </Message>
  );
}

/** By the hub's clock, never below zero. */
function useSecondsUntil(at: string): number {
  const nowMs = useContext(ClockContext);
  const [seconds, setSeconds] = useState(() => secondsUntil(at, nowMs()));
  useEffect(() => {
    const tick = () => setSeconds(secondsUntil(at, nowMs()));
    tick();
    const timer = setInterval(tick, TICK_MS);
    return () => clearInterval(timer);
  }, [at, nowMs]);
  return seconds;
}

const TICK_MS = 250;

function secondsUntil(at: string, nowMs: number): number {
  return Math.max(0, Math.ceil((Date.parse(at) - nowMs) / 1000));
}
