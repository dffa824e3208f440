import { CkptError } from "@ckpt/errors";
import { errnoError, exponentialBackoff, type RetryEvent, retry } from "@ckpt/io";
import { describe, expect, it } from "vitest";

const busy = () => errnoError("EBUSY", "open", "/p", "for a test");

describe("exponentialBackoff", () => {
  it("doubles the ceiling up to the maximum", () => {
    const delays: number[] = [];
    let backoff = exponentialBackoff({ baseDelayMs: 20, maxDelayMs: 100, jitter: "none" });
    for (let i = 0; i < 5; i++, backoff = backoff.next()) delays.push(backoff.delayMs);
    expect(delays).toEqual([20, 40, 80, 100, 100]);
  });

  it("is a value: asking for the next leaves it as it is", () => {
    const first = exponentialBackoff({ jitter: "none" });
    expect(first.next().delayMs).toBe(40);
    expect(first.next().delayMs).toBe(40);
    expect(first.delayMs).toBe(20);
  });

  it("spreads full jitter over all from 0 to the ceiling, equal jitter over the upper half", () => {
    expect(exponentialBackoff({ baseDelayMs: 100, random: () => 0 }).delayMs).toBe(0);
    expect(exponentialBackoff({ baseDelayMs: 100, random: () => 0.75 }).delayMs).toBe(75);
    expect(exponentialBackoff({ baseDelayMs: 100, jitter: "equal", random: () => 0 }).delayMs).toBe(50);
  });

  it.each([1e10, Number.POSITIVE_INFINITY])("asks for no longer wait than a timer can do: %d", (ms) => {
    const backoff = exponentialBackoff({ baseDelayMs: ms, maxDelayMs: ms, jitter: "none" });
    expect(backoff.delayMs).toBe(2 ** 31 - 1);
    expect(backoff.next().delayMs).toBe(2 ** 31 - 1);
  });

  it.each([
    { baseDelayMs: Number.NaN },
    { baseDelayMs: -1 },
    { maxDelayMs: Number.NaN },
    { maxDelayMs: "20" as unknown as number },
    { jitter: "some" as "full" },
  ])("refuses %o", (options) => {
    const argument = Object.keys(options)[0];
    expect(() => exponentialBackoff(options)).toThrow(
      expect.objectContaining({
        code: "CKPT_INVALID_ARGUMENT",
        details: expect.objectContaining({ argument }),
      }),
    );
  });
});

describe("retry", () => {
  it("repeats transient errors until it succeeds, and tells of each", async () => {
    const events: RetryEvent[] = [];
    const result = await retry(
      (attempt) => {
        if (attempt < 3) throw busy();
        return `done at ${attempt}`;
      },
      { baseDelayMs: 1, onRetry: (event) => events.push(event) },
    );
    expect(result).toBe("done at 3");
    expect(events.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(events[0]!.error).toMatchObject({ code: "EBUSY" });
  });

  it("gives up after the last try with the last error as cause and the number of tries", async () => {
    const errors = [
      busy(),
      errnoError("EMFILE", "open", "/p", "first"),
      errnoError("EAGAIN", "open", "/p", "last"),
    ];
    let calls = 0;
    const failing = retry(
      () => {
        throw errors[calls++]!;
      },
      { tries: 3, baseDelayMs: 1 },
    );
    await expect(failing).rejects.toMatchObject({
      code: "CKPT_IO",
      cause: errors[2],
      details: { attempts: 3, gaveUp: "tries", errno: "EAGAIN" },
    });
    expect(calls).toBe(3);
  });

  it.each([
    { tries: Number.NaN },
    { tries: 0 },
    { tries: -1 },
    { tries: 1.5 },
    { maxElapsedMs: Number.NaN },
    { maxElapsedMs: -1 },
    { baseDelayMs: Number.NaN },
    { maxDelayMs: -1 },
    { jitter: "some" as "full" },
  ])("refuses %o before the first try", async (options) => {
    let calls = 0;
    await expect(retry(() => calls++, options)).rejects.toMatchObject({
      code: "CKPT_INVALID_ARGUMENT",
      details: { argument: Object.keys(options)[0] },
    });
    expect(calls).toBe(0);
  });

  it("goes on as long as it takes with tries Infinity", async () => {
    const result = await retry(
      (attempt) => {
        if (attempt <= 40) throw busy();
        return attempt;
      },
      { tries: Number.POSITIVE_INFINITY, maxElapsedMs: Number.POSITIVE_INFINITY, baseDelayMs: 0 },
    );
    expect(result).toBe(41);
  });

  it("waits where the delay is longer than a timer can be set", async () => {
    const controller = new AbortController();
    const delays: number[] = [];
    const options = {
      baseDelayMs: 1e10,
      maxDelayMs: 1e10,
      maxElapsedMs: Number.POSITIVE_INFINITY,
      jitter: "none",
      signal: controller.signal,
      onRetry: ({ delayMs }: RetryEvent) => {
        delays.push(delayMs);
        setTimeout(() => controller.abort(), 20);
      },
    } as const;
    await expect(retry(() => Promise.reject(busy()), options)).rejects.toMatchObject({
      code: "CKPT_ABORTED",
      details: { attempts: 1 },
    });
    expect(delays).toEqual([2 ** 31 - 1]);
  });

  it.each(["isRetryable", "random", "onRetry"])("ends with what %s throws", async (name) => {
    const bug = new TypeError("a bug in the option");
    const throwing = () => {
      throw bug;
    };
    let calls = 0;
    const failing = retry(
      () => {
        calls++;
        throw busy();
      },
      { baseDelayMs: 0, [name]: throwing },
    );
    await expect(failing).rejects.toBe(bug);
    expect(calls).toBe(1);
  });

  it("does not repeat a permanent error", async () => {
    let calls = 0;
    const failing = retry(() => {
      calls++;
      throw errnoError("ENOSPC", "write", "/p", "full");
    });
    await expect(failing).rejects.toMatchObject({
      code: "CKPT_NO_SPACE",
      details: { attempts: 1, gaveUp: "permanent" },
    });
    expect(calls).toBe(1);
  });

  it("hands a bug in the operation back as it is", async () => {
    const bug = new TypeError("x is not a function");
    await expect(
      retry(() => {
        throw bug;
      }),
    ).rejects.toBe(bug);
  });

  it("ends with CKPT_TIMEOUT when the next try would begin after the time budget", async () => {
    let calls = 0;
    const failing = retry(
      () => {
        calls++;
        throw busy();
      },
      { tries: 100, baseDelayMs: 30, maxDelayMs: 30, jitter: "none", maxElapsedMs: 100 },
    );
    await expect(failing).rejects.toMatchObject({
      code: "CKPT_TIMEOUT",
      cause: { code: "EBUSY" },
      details: { gaveUp: "time" },
    });
    expect(calls).toBeGreaterThan(1);
    expect(calls).toBeLessThan(6);
  });

  it("ends at once when the signal fires during a wait, and nothing runs afterwards", async () => {
    const controller = new AbortController();
    let calls = 0;
    const startedAt = performance.now();
    const failing = retry(
      () => {
        calls++;
        throw busy();
      },
      {
        baseDelayMs: 60_000,
        maxDelayMs: 60_000,
        maxElapsedMs: 600_000,
        jitter: "none",
        signal: controller.signal,
        onRetry: () => setTimeout(() => controller.abort(new Error("stop")), 5),
      },
    );
    await expect(failing).rejects.toMatchObject({
      code: "CKPT_ABORTED",
      cause: { message: "stop" },
      details: { attempts: 1 },
    });
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toBe(1);
  });

  it("runs nothing when the signal has fired before", async () => {
    let calls = 0;
    const failing = retry(() => calls++, { signal: AbortSignal.abort() });
    await expect(failing).rejects.toMatchObject({ code: "CKPT_ABORTED" });
    expect(calls).toBe(0);
  });

  it("asks isRetryable where given, but never repeats an abort", async () => {
    let calls = 0;
    const failing = retry(
      () => {
        calls++;
        throw new CkptError("CKPT_CONFLICT", { message: "m", hint: "h" });
      },
      { tries: 2, baseDelayMs: 1, isRetryable: () => true },
    );
    await expect(failing).rejects.toMatchObject({
      code: "CKPT_CONFLICT",
      hint: "h",
      details: { attempts: 2 },
    });
    expect(calls).toBe(2);
    const aborted = new CkptError("CKPT_ABORTED", { message: "m" });
    await expect(retry(() => Promise.reject(aborted), { isRetryable: () => true })).rejects.toBe(aborted);
  });
});
