// Keys must be UUIDs: the hub takes nothing else, and two intents must never share one.
import { expect, it } from "vitest";
import { newKey } from "./ports";

it("makes random UUIDs of version 4", () => {
  const keys = Array.from({ length: 200 }, newKey);
  expect(new Set(keys).size).toBe(200);
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
