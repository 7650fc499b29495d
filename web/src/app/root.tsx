// What both pages start with: the theme, the messages at the edge, the sign-in.
import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { applyTheme } from "../ui/theme";
import { Toasts } from "../ui/toasts";
import { SignInProvider } from "./session";
import { UndoProvider } from "./undo";

export function startPage(page: ReactNode) {
  applyTheme();
  const root = document.getElementById("root");
  if (!root) throw new Error("the page has no root element");
  createRoot(root).render(
    <StrictMode>
      <Toasts>
        <UndoProvider>
          <SignInProvider>{page}</SignInProvider>
        </UndoProvider>
      </Toasts>
    </StrictMode>,
  );
}
