// In which order a live list stands on the screen: frozen while somebody is at it, and what leaves lingers for a moment.
// Which tickets belong in the list, and in which order they would stand, is left to views.ts.
import type { TicketId } from "../wire/generated";

/** A row that has left the list stays to be seen for so long, and longer while the list is frozen: nothing may shift. */
export const GHOST_MS = 5000;

export type Place = {
  id: TicketId /** Until when it lingers; null for what belongs in the list. */;
  goneUntilMs: number | null;
};

export type Shown = {
  places: readonly Place[];
  /** How many belong in the list but wait on top of it, because it is frozen. */
  waiting: number;
};

export const NOTHING_SHOWN: Shown = { places: [], waiting: 0 };

/**
 * @param wanted the tickets that belong in the list, in their order
 * @param isFrozen somebody points at the list, walks in it or reads further down: no row may move
 */
export function nextShown(before: Shown, wanted: readonly TicketId[], isFrozen: boolean, nowMs: number): Shown {
  const belongs = new Set(wanted);
  const kept = before.places.flatMap<Place>(({ id, goneUntilMs }) => {
    if (belongs.has(id)) return [{ id, goneUntilMs: null }];
    const untilMs = goneUntilMs ?? nowMs + GHOST_MS;
    return untilMs > nowMs || isFrozen ? [{ id, goneUntilMs: untilMs }] : [];
  });
  const known = new Set(kept.map(({ id }) => id));
  const lastKnown = wanted.findLastIndex((id) => known.has(id));
  // what comes after all that is shown moves nothing: that is how the next page comes
  const below = wanted.slice(lastKnown + 1).filter((id) => !known.has(id));
  if (isFrozen && lastKnown >= 0) {
    const waiting = wanted.slice(0, lastKnown).filter((id) => !known.has(id)).length;
    return same(before, { places: [...kept, ...below.map(present)], waiting });
  }
  return same(before, { places: withGhosts(wanted, kept), waiting: 0 });
}

/** When the next ghost may go; null when there is none. */
export function nextDepartureMs({ places }: Shown): number | null {
  const times = places.map(({ goneUntilMs }) => goneUntilMs).filter((ms) => ms !== null);
  return times.length === 0 ? null : Math.min(...times);
}

/** The wanted order, with each ghost after the row that it stood after. */
function withGhosts(wanted: readonly TicketId[], kept: readonly Place[]): Place[] {
  const after = new Map<TicketId | null, Place[]>();
  let previous: TicketId | null = null;
  for (const place of kept) {
    if (place.goneUntilMs === null) previous = place.id;
    else after.set(previous, [...(after.get(previous) ?? []), place]);
  }
  return [...(after.get(null) ?? []), ...wanted.flatMap((id) => [present(id), ...(after.get(id) ?? [])])];
}

function present(id: TicketId): Place {
  return { id, goneUntilMs: null };
}

/** The same object where nothing changed, so that nothing is drawn anew. */
function same(before: Shown, next: Shown): Shown {
  const isSame =
    before.waiting === next.waiting &&
    before.places.length === next.places.length &&
    before.places.every(
      ({ id, goneUntilMs }, at) => id === next.places[at]?.id && goneUntilMs === next.places[at].goneUntilMs,
    );
  return isSame ? before : next;
}
