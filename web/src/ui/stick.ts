// A scrolled list that follows its end only while its reader is there, and does not jump when older entries are put on top.
import { type RefObject, useLayoutEffect, useRef, useState } from "react";

/** Closer than this to the end counts as being there. */
const NEAR_PX = 48;

/** True where the end of what scrolls is on the screen. */
export function isAtEnd(box: HTMLElement): boolean {
  return box.scrollHeight - box.scrollTop - box.clientHeight <= NEAR_PX;
}

type Stick = {
  ref: RefObject<HTMLElement | null>;
  onScroll: () => void;
  /** How many messages were added below what is seen. */
  newBelow: number;
  toEnd: () => void;
};

/**
 * @param first identifies the first entry: another one means that older entries came
 * @param last identifies the last entry: another one means that newer entries came
 * @param size anything whose change may change the height
 * @param messages how many entries are messages, which is what is counted below
 */
export function useStickToEnd(first: unknown, last: unknown, size: unknown, messages: number): Stick {
  const ref = useRef<HTMLElement | null>(null);
  const seen = useRef({ isAtEnd: true, height: 0, first, last, messages });
  const [newBelow, setNewBelow] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: size only says when to look again
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return;
    const before = seen.current;
    if (before.isAtEnd) box.scrollTop = box.scrollHeight;
    else if (before.first !== first) box.scrollTop += box.scrollHeight - before.height;
    else if (before.last !== last) setNewBelow((count) => count + Math.max(0, messages - before.messages));
    seen.current = { isAtEnd: before.isAtEnd, height: box.scrollHeight, first, last, messages };
  }, [first, last, size, messages]);

  // The box also changes when the composer grows or an image of text wraps anew.
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(() => {
      if (seen.current.isAtEnd) box.scrollTop = box.scrollHeight;
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  const onScroll = () => {
    const box = ref.current;
    if (!box) return;
    const isNowAtEnd = isAtEnd(box);
    seen.current = { ...seen.current, isAtEnd: isNowAtEnd, height: box.scrollHeight };
    if (isNowAtEnd) setNewBelow(0);
  };
  const toEnd = () => {
    const box = ref.current;
    if (box) box.scrollTop = box.scrollHeight;
  };
  return { ref, onScroll, newBelow, toEnd };
}
