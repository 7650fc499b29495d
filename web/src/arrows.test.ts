// Who may know whom: console, portal -> app -> ui, client -> wire. A breach is a conversation before it is a commit.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";

const SOURCES = import.meta.dirname;
const MAY_KNOW: Record<string, readonly string[]> = {
  wire: ["wire"],
  client: ["client", "wire"],
  ui: ["ui", "wire"],
  app: ["app", "ui", "client", "wire"],
  console: ["console", "app", "ui", "client", "wire"],
  portal: ["portal", "app", "ui", "client", "wire"],
};
const WITHOUT_REACT = ["wire", "client"];

const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter(
  (name) => /\.tsx?$/.test(name) && name.includes("/") && !/\.test\.tsx?$/.test(name),
);

it("finds the sources", () => {
  expect(new Set(files.map(partOf))).toEqual(new Set(Object.keys(MAY_KNOW)));
});

it.each(files)("%s knows only what it may", (name) => {
  const part = partOf(name);
  for (const imported of importsOf(name)) {
    if (imported.startsWith(".")) {
      expect(MAY_KNOW[part], imported).toContain(partOf(relative(SOURCES, join(SOURCES, dirname(name), imported))));
    } else if (WITHOUT_REACT.includes(part)) {
      expect(imported).not.toMatch(/^(react|@tanstack|lucide|@base-ui)/);
    }
  }
});

function partOf(name: string): string {
  return name.split("/")[0] ?? "";
}

function importsOf(name: string): string[] {
  const source = readFileSync(join(SOURCES, name), "utf8");
  return [...source.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)"|^import "([^"]+)"/gm)].map(
    (found) => found[1] ?? found[2] ?? "",
  );
}
