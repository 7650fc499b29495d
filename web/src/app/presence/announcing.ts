// Says that I am at a ticket for as long as a component is there, and that I am elsewhere when nothing is done for a while.
import { useEffect } from "react";
import type { TicketId } from "../../wire/generated";
import { useSession } from "../session";

const SIGNS_OF_LIFE = ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"] as const;

export function useAnnounced(ticket: TicketId) {
  const { live } = useSession();
  useEffect(() => {
    const { announcer } = live;
    const close = announcer.open(ticket);
    const input = () => announcer.input();
    for (const sign of SIGNS_OF_LIFE) window.addEventListener(sign, input, { passive: true });
    return () => {
      for (const sign of SIGNS_OF_LIFE) window.removeEventListener(sign, input);
      close();
    };
  }, [live, ticket]);
}

/** For a menu or a form: tells colleagues which field I have open. */
export function useEditing(field: string): (isOpen: boolean) => void {
  const { live } = useSession();
  return (isOpen) => live.announcer.edit(isOpen ? field : null);
}
