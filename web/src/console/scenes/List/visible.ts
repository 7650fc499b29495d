// Which rows of the list stand on the screen: only of these does the hub tell who is at them.
import { type RefObject, useEffect } from "react";
import { useSession } from "../../../app/session";
import type { TicketId } from "../../../wire/generated";
import { TICKET } from "./Row";

/** Scrolling through a list must not become a storm of questions. */
const REST_MS = 200;
/** Rows a little outside are ready when they come into sight. */
const MARGIN = "160px 0px";

/** @param rows the rows in their order; another list of them means to look anew */
export function useVisibleRows(box: RefObject<HTMLElement | null>, rows: readonly unknown[]) {
  const { live } = useSession();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rows only say when to look anew
  useEffect(() => {
    const list = box.current;
    if (!list || typeof IntersectionObserver === "undefined") return;
    const visible = new Set<TicketId>();
    let rest: ReturnType<typeof setTimeout> | undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const id = target.getAttribute(TICKET);
          if (id === null) continue;
          if (isIntersecting) visible.add(id);
          else visible.delete(id);
        }
        clearTimeout(rest);
        rest = setTimeout(() => live.lookAtRows([...visible].sort().slice(0, MOST)), REST_MS);
      },
      { root: list, rootMargin: MARGIN },
    );
    for (const row of list.querySelectorAll(`[${TICKET}]`)) observer.observe(row);
    return () => {
      clearTimeout(rest);
      observer.disconnect();
    };
  }, [live, box, rows]);
}

/** As many as the hub takes. */
const MOST = 200;
