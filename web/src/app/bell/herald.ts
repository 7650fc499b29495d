// News as it comes: in words for those who listen, and on the desktop, from one tab of the browser only.
import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { Herald } from "../../client/herald";
import type { Notification as News } from "../../client/told";
import { pathTo } from "../jump";
import { useSession } from "../session";
import { newsInWords, whyTold } from "../words";
import { desktopState } from "./desktop-state";

/** More tickets than this at once are told of together. */
const MOST_ONE_BY_ONE = 3;

/** What to say of the last news. */
export function useHerald(): string {
  const { live, user, workspace } = useSession();
  const navigate = useNavigate();
  const [words, setWords] = useState("");
  const leads = useLeader(`tandem-bell-${workspace.id}-${user.id}`);
  const go = useRef(navigate);
  go.current = navigate;
  useEffect(() => {
    const herald = new Herald({
      getState: live.getState,
      nowMs: () => Date.now(),
      after: (ms, act) => {
        const timer = setTimeout(act, ms);
        return { cancel: () => clearTimeout(timer) };
      },
      tell: (news) => {
        setWords(newsInWords(news));
        if (leads.current && desktopState() === "on") ring(news, (to) => void go.current(to));
      },
    });
    const release = live.onChange(() => herald.look());
    herald.look();
    return () => {
      release();
      herald.stop();
    };
  }, [live, leads]);
  return words;
}

/** True in one tab of this browser; when that tab goes, in another. Where there are no locks, the tags keep it at one. */
function useLeader(name: string) {
  const leads = useRef(false);
  useEffect(() => {
    if (!("locks" in navigator)) {
      leads.current = true;
      return;
    }
    const end = new AbortController();
    let resign = () => {};
    const reign = () => {
      leads.current = true;
      return new Promise<void>((resolve) => {
        resign = resolve;
      });
    };
    // it ends by being given up, here or with the page
    navigator.locks.request(name, { signal: end.signal }, reign).catch(() => {});
    return () => {
      leads.current = false;
      end.abort();
      resign();
    };
  }, [name]);
  return leads;
}

function ring(news: readonly News[], go: (to: string) => void) {
  const newest = new Map(news.map((one) => [one.told.ticket_id, one]));
  if (newest.size > MOST_ONE_BY_ONE) {
    show(newsInWords(news), { tag: "tandem" }, () => {});
    return;
  }
  for (const { by, told } of newest.values()) {
    const body = [`${told.number} ${told.title}`, told.excerpt].filter((line) => line !== undefined).join("\n");
    const open = () => go(pathTo(told.ticket_id, told.ticket_seq, ""));
    show(`${by.name} ${whyTold(told.reason)}`, { body, tag: `tandem-${told.ticket_id}` }, open);
  }
}

function show(title: string, options: NotificationOptions, open: () => void) {
  try {
    const shown = new Notification(title, options);
    shown.onclick = () => {
      window.focus();
      open();
      shown.close();
    };
  } catch {
    // some browsers have the name but not the thing: the bell tells all the same
  }
}
