// What a tab says of itself while another one is looked at: its title, and how much waits behind it.
import { useEffect } from "react";

/** Until somebody names it, the tab is called as the page came. */
let words = document.title;
let waiting = 0;
/** The address of the plain icon, as the page came with it. */
let plainIcon: string | null = null;

/** The mark with a dot, as in mark.svg. */
const DOTTED = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="#0f6b63"/><circle cx="12" cy="16" r="6.2" fill="none" stroke="#fff" stroke-width="2.6"/><circle cx="20" cy="16" r="6.2" fill="none" stroke="#8fe3d2" stroke-width="2.6"/><circle cx="24.5" cy="7.5" r="7.5" fill="#e5484d" stroke="#fff" stroke-width="1.5"/></svg>`;

/** Names the tab. Null leaves the name to somebody else on the page. */
export function useTitle(title: string | null) {
  useEffect(() => {
    if (title === null) return;
    words = title;
    show();
  }, [title]);
}

/** Shows how much waits, before the title and on the icon, as long as the component is there. */
export function useTitleCount(count: number) {
  useEffect(() => {
    waiting = count;
    show();
    return () => {
      waiting = 0;
      show();
    };
  }, [count]);
}

/** Counts beyond this take more room than they tell. */
export function shortCount(count: number): string {
  return count > 99 ? "99+" : String(count);
}

function show() {
  document.title = waiting > 0 ? `(${shortCount(waiting)}) ${words}` : words;
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (!icon) return;
  plainIcon ??= icon.href;
  const address = waiting > 0 ? `data:image/svg+xml,${encodeURIComponent(DOTTED)}` : plainIcon;
  if (icon.href !== address) icon.href = address;
}
