// The composer: who reads it is plain to see, and Ctrl+Enter sends what may be sent.
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it, vi } from "vitest";
import type { Audience } from "../wire/generated";
import { Composer } from "./composer";

type HolderProps = { onSend: () => void; audiences?: readonly Audience[]; start?: string };

function Holder({ onSend, audiences = ["public", "internal"], start = "" }: HolderProps) {
  const [audience, setAudience] = useState<Audience>("public");
  const [text, setText] = useState(start);
  return (
    <Composer
      audience={audience}
      audiences={audiences}
      text={text}
      state=""
      placeholder=""
      onAudience={setAudience}
      onText={setText}
      onSend={onSend}
    />
  );
}

it("sends with Ctrl+Enter, and not with Enter alone", async () => {
  const onSend = vi.fn();
  render(<Holder onSend={onSend} />);
  await userEvent.type(screen.getByRole("textbox"), "Hello{Enter}there");
  expect(onSend).not.toHaveBeenCalled();
  await userEvent.keyboard("{Control>}{Enter}{/Control}");
  expect(onSend).toHaveBeenCalledTimes(1);
});

it("does not send what is empty", async () => {
  const onSend = vi.fn();
  render(<Holder onSend={onSend} start="   " />);
  await userEvent.type(screen.getByRole("textbox"), "{Control>}{Enter}{/Control}");
  expect(onSend).not.toHaveBeenCalled();
  expect(screen.getByRole("button", { name: "Send" })).toBeDisabled();
});

it("says that a text is too long instead of having it refused", () => {
  render(<Holder onSend={() => {}} start={"ä".repeat(16 * 1024 + 1)} />);
  expect(screen.getByText(/too long/)).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Send" })).toBeDisabled();
});

it("names who reads it, also for assistive technology", async () => {
  render(<Holder onSend={() => {}} start="psst" />);
  expect(screen.getByRole("textbox", { name: "Reply to the customer" })).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Internal note" }));
  expect(screen.getByRole("textbox", { name: "Internal note for colleagues" })).toHaveValue("psst");
  expect(screen.getByRole("button", { name: "Add note" })).toBeEnabled();
});

it("offers no choice where there is none", () => {
  render(<Holder onSend={() => {}} audiences={["public"]} />);
  expect(screen.queryByRole("group")).toBeNull();
});
