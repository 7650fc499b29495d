// How long my replies are held back before they go out, so that they can be taken back. Remembered in this browser.
import { useState } from "react";
import { readSetting, writeSetting } from "../../ui/theme";

const NAME = "tandem-hold";
const DEFAULT_S = 8;
export const HOLD_CHOICES_S: readonly number[] = [0, 5, 8, 15, 30];

/** Seconds, from 0 to 30. */
export function holdSeconds(): number {
  const kept = Number(readSetting(NAME) ?? DEFAULT_S);
  return Number.isFinite(kept) ? Math.min(30, Math.max(0, kept)) : DEFAULT_S;
}

export function useHoldSeconds(): [number, (seconds: number) => void] {
  const [seconds, setSeconds] = useState(holdSeconds);
  const choose = (next: number) => {
    writeSetting(NAME, String(next));
    setSeconds(next);
  };
  return [seconds, choose];
}
