// Two texts, word by word: what only one of them says, and what both do. Loaded when somebody asks for it.
import { diffWordsWithSpace } from "diff";
import { useMemo } from "react";

type Props = {
  /** What only this one says is struck through. */
  theirs: string;
  /** What only this one says is underlined. */
  mine: string;
};

export default function WordDiff({ theirs, mine }: Props) {
  const parts = useMemo(() => diffWordsWithSpace(theirs, mine, { timeout: LONGEST_MS }) ?? null, [theirs, mine]);
  if (parts === null)
    return <p className="text-ink-soft text-sm">The texts are too different to be laid over each other.</p>;
  return (
    <p className="whitespace-pre-wrap text-sm [overflow-wrap:anywhere]" dir="auto">
      {parts.map(({ value, added, removed }, at) => {
        // biome-ignore-start lint/suspicious/noArrayIndexKey: the parts have no other name, and all are drawn anew together
        if (added)
          return (
            <ins key={at} className="rounded-sm bg-green-soft text-green decoration-2">
              {value}
            </ins>
          );
        if (removed)
          return (
            <del key={at} className="rounded-sm bg-danger-soft text-danger">
              {value}
            </del>
          );
        return <span key={at}>{value}</span>;
        // biome-ignore-end lint/suspicious/noArrayIndexKey: as above
      })}
    </p>
  );
}

/** Two long and wholly different texts would hold the page up. */
const LONGEST_MS = 200;
