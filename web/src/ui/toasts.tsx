// Short messages at the edge of the screen, about what did not work until dismissed, about what did for a moment. They never
// take the focus.
import { X } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import { Button } from "./basics";

export type Toast = {
  text: string;
  action?: { label: string; act: () => void };
  /** Nothing is lost with it: it goes by itself. */
  isPassing?: boolean;
};

const ToastContext = createContext<(toast: Toast) => void>(() => {});

/** Shows a message. */
export function useToast(): (toast: Toast) => void {
  return useContext(ToastContext);
}

/** At most this many at once: the oldest goes. */
const MOST = 4;
const PASSES_AFTER_MS = 6000;

export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly (Toast & { id: number })[]>([]);
  const nextId = useRef(0);
  const dismiss = useCallback((id: number) => setToasts((shown) => shown.filter((toast) => toast.id !== id)), []);
  const show = useCallback(
    (toast: Toast) => {
      nextId.current += 1;
      const id = nextId.current;
      setToasts((shown) => [...shown, { ...toast, id }].slice(-MOST));
      if (toast.isPassing) setTimeout(() => dismiss(id), PASSES_AFTER_MS);
    },
    [dismiss],
  );
  const list = useMemo(() => children, [children]);
  return (
    <ToastContext value={show}>
      {list}
      <section
        aria-label="Messages"
        aria-live="polite"
        className="pointer-events-none fixed inset-x-0 bottom-0 z-40 flex flex-col items-center gap-2 p-4 sm:items-end"
      >
        {toasts.map((toast) => (
          <div
            key={toast.id}
            className="appear pointer-events-auto flex w-full max-w-md items-center gap-3 rounded-xl border border-line bg-raised py-2 ps-4 pe-2 text-sm shadow-float"
          >
            <p className="grow">{toast.text}</p>
            {toast.action && (
              <Button
                size="small"
                onClick={() => {
                  toast.action?.act();
                  dismiss(toast.id);
                }}
              >
                {toast.action.label}
              </Button>
            )}
            <Button size="small" tone="quiet" aria-label="Dismiss" onClick={() => dismiss(toast.id)}>
              <X aria-hidden="true" size={16} />
            </Button>
          </div>
        ))}
      </section>
    </ToastContext>
  );
}
