// The composer: who reads it is plain to see, and Ctrl+Enter sends what may be sent.
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import type { Audience, PersonRef } from "../wire/generated";
import { Composer } from "./composer";

const ANA = { id: "a", name: "Ana Lindqvist" };
const BO = { id: "b", name: "Bo Anders" };

type HolderProps = {
  onSend: () => void;
  audiences?: readonly Audience[];
  start?: string;
  people?: readonly PersonRef[];
};

function Holder({ onSend, audiences = ["public", "internal"], start = "", people = [] }: HolderProps) {
  const [audience, setAudience] = useState<Audience>("public");
  const [text, setText] = useState(start);
  return (
    <Composer
      audience={audience}
      audiences={audiences}
      text={text}
      state=""
      people={people}
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

describe("an @", () => {
  const setUp = (onSend = () => {}) => {
    render(<Holder onSend={onSend} people={[ANA, BO]} />);
    return screen.getByRole("textbox");
  };

  it("offers colleagues, fewer with each letter, and Enter takes the one", async () => {
    const onSend = vi.fn();
    const box = setUp(onSend);
    await userEvent.type(box, "Look, @");
    expect(screen.getAllByRole("option")).toHaveLength(2);
    await userEvent.keyboard("an");
    expect(screen.getAllByRole("option")).toHaveLength(2);
    await userEvent.keyboard("a");
    expect(screen.getAllByRole("option").map((option) => option.textContent?.trim())).toEqual(["Ana Lindqvist"]);
    expect(box.getAttribute("aria-activedescendant")).toBe(screen.getByRole("option", { selected: true }).id);
    await userEvent.keyboard("{Enter}");
    expect(box).toHaveValue("Look, @Ana Lindqvist ");
    expect(screen.queryByRole("listbox")).toBeNull();
    expect(onSend).not.toHaveBeenCalled();
    await userEvent.keyboard("please");
    expect(box).toHaveValue("Look, @Ana Lindqvist please");
  });

  it("is walked with the arrows, around its ends", async () => {
    const box = setUp();
    await userEvent.type(box, "@{ArrowDown}{Tab}");
    expect(box).toHaveValue("@Bo Anders ");
    await userEvent.type(box, "@{ArrowUp}{Tab}");
    expect(box).toHaveValue("@Bo Anders @Bo Anders ");
    expect(box).toHaveFocus();
  });

  it("takes the one that is clicked, and keeps the focus", async () => {
    const box = setUp();
    await userEvent.type(box, "@");
    await userEvent.click(screen.getByRole("option", { name: "Bo Anders" }));
    expect(box).toHaveValue("@Bo Anders ");
    expect(box).toHaveFocus();
  });

  it("is left alone after Escape, until another one", async () => {
    const box = setUp();
    await userEvent.type(box, "@a{Escape}");
    expect(screen.queryByRole("listbox")).toBeNull();
    await userEvent.keyboard("n{Enter}@");
    expect(box).toHaveValue("@an\n@");
    expect(screen.getByRole("listbox")).toBeInTheDocument();
  });

  it("is a letter like any other within a word, and where nobody can be called", async () => {
    const box = setUp();
    await userEvent.type(box, "ana@a");
    expect(screen.queryByRole("listbox")).toBeNull();
  });

  it("still sends with Ctrl+Enter while the list is open", async () => {
    const onSend = vi.fn();
    await userEvent.type(setUp(onSend), "@a{Control>}{Enter}{/Control}");
    expect(onSend).toHaveBeenCalledTimes(1);
  });
});
