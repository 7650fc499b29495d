// Whether somebody is at the list: then no row of it may move.
import { type RefObject, useEffect, useState } from "react";

/** After a touch the finger is gone, the eye is not. */
const TOUCH_LASTS_MS = 3000;

/** True while the pointer is in the box, the keyboard walks in it, text in it is selected, or it is scrolled away from its top. */
export function useIsFrozen(box: RefObject<HTMLElement | null>): boolean {
  const [isFrozen, setIsFrozen] = useState(false);
  useEffect(() => {
    const list = box.current;
    if (!list) return;
    let isMouse = false;
    let touch: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      const isPointed = touch !== undefined || (isMouse && list.matches(":hover"));
      setIsFrozen(isPointed || list.scrollTop > 0 || hasKeyboard(list) || hasSelection(list));
    };
    const point = ({ pointerType }: PointerEvent) => {
      isMouse = pointerType === "mouse";
      clearTimeout(touch);
      touch = isMouse ? undefined : setTimeout(lift, TOUCH_LASTS_MS);
      look();
    };
    const lift = () => {
      touch = undefined;
      look();
    };
    // the focus is known only after the event
    const focus = () => setTimeout(look);
    list.addEventListener("pointermove", point, { passive: true });
    list.addEventListener("pointerleave", look);
    list.addEventListener("focusin", focus);
    list.addEventListener("focusout", focus);
    list.addEventListener("scroll", look, { passive: true });
    document.addEventListener("selectionchange", look);
    return () => {
      clearTimeout(touch);
      list.removeEventListener("pointermove", point);
      list.removeEventListener("pointerleave", look);
      list.removeEventListener("focusin", focus);
      list.removeEventListener("focusout", focus);
      list.removeEventListener("scroll", look);
      document.removeEventListener("selectionchange", look);
    };
  }, [box]);
  return isFrozen;
}

/** A click leaves the focus on the row, too, but not the hand. */
function hasKeyboard(list: HTMLElement): boolean {
  return list.querySelector(":focus-visible") !== null;
}

function hasSelection(list: HTMLElement): boolean {
  const selection = document.getSelection();
  return selection !== null && !selection.isCollapsed && list.contains(selection.anchorNode);
}
