// The frames that the hub's own tests pin, byte for byte: this client reads and writes the same ones.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { isRecord, json, msgpack } from "./codec";
import type { ClientFrame } from "./generated";

const FOLDER = join(import.meta.dirname, "../../../hub/core/tests/golden");
const names = filesBelow(FOLDER);
const pairs = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));

describe("golden frames", () => {
  it("exist, each in both codecs", () => {
    expect(pairs.length).toBeGreaterThan(0);
    expect(names.filter((name) => name.endsWith(".msgpack")).sort()).toEqual(
      pairs.map((name) => `${name}.msgpack`).sort(),
    );
  });

  it.each(pairs)("%s is read, or written, the same in both codecs", (name) => {
    const text = readFileSync(join(FOLDER, `${name}.json`), "utf8");
    const bytes = new Uint8Array(readFileSync(join(FOLDER, `${name}.msgpack`)));
    const value: unknown = JSON.parse(text);
    expect(decode(bytes)).toEqual(value);
    if (isClientFrame(name, value)) {
      expect(decode(Uint8Array.from(asBytes(msgpack.encode(value))))).toEqual(value);
      expect(JSON.parse(asText(json.encode(value)))).toEqual(value);
      return;
    }
    expect(json.decode(text)).toEqual(value);
    expect(msgpack.decode(bytes.buffer)).toEqual(value);
  });
});

function isClientFrame(name: string, value: unknown): value is ClientFrame {
  return isRecord(value) && name.startsWith("client_");
}

function asBytes(encoded: string | Uint8Array): Uint8Array {
  if (typeof encoded === "string") throw new Error("MessagePack is binary");
  return encoded;
}

function asText(encoded: string | Uint8Array): string {
  if (typeof encoded !== "string") throw new Error("JSON is text");
  return encoded;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" });
}
