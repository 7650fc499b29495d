// The last thing that can be taken back, for the key that does so (z). Each offer replaces the one before.
import { createContext, type ReactNode, useContext, useMemo, useRef } from "react";

type Offer = { act: () => void; isOpen: () => boolean };

export type Undo = {
  /** `isOpen` says whether it can still be taken back. Answers a function that withdraws the offer. */
  offer(act: () => void, isOpen?: () => boolean): () => void;
  /** Takes the last thing back; false when there is none. */
  take(): boolean;
};

const UndoContext = createContext<Undo>({ offer: () => () => {}, take: () => false });

/** The most recent first; more than this nobody remembers. */
const DEPTH = 10;

export function UndoProvider({ children }: { children: ReactNode }) {
  const offers = useRef<Offer[]>([]);
  const undo = useMemo<Undo>(
    () => ({
      offer: (act, isOpen = () => true) => {
        const offer = { act, isOpen };
        offers.current = [offer, ...offers.current].slice(0, DEPTH);
        return () => {
          offers.current = offers.current.filter((one) => one !== offer);
        };
      },
      take: () => {
        const open = offers.current.filter(({ isOpen }) => isOpen());
        const [last, ...rest] = open;
        offers.current = rest;
        last?.act();
        return last !== undefined;
      },
    }),
    [],
  );
  return <UndoContext value={undo}>{children}</UndoContext>;
}

export function useUndo(): Undo {
  return useContext(UndoContext);
}
