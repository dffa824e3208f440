import { FaultPlan, FaultyFileSystem } from "@ckpt/conformance";
import { isCkptError } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { describe, expect, it } from "vitest";
import { codeOf, findingsOf, put, remove } from "./support/store.js";

/** Text that shares next to nothing with that of another number. */
const text = (i: number) =>
  Array.from({ length: 250 }, (_, k) => ((i * 7919 + k * 104729) % 1_000_003).toString(36)).join(" ");
const options = { reserveBytes: 16_384, segmentBytes: 32_768, autoCompact: false };

/** A disk of which we know how much is used, and that can be made full. */
class SmallDisk extends FaultyFileSystem {
  async leave(bytes: number): Promise<void> {
    const most = 1e9;
    this.setLimits({ maxBytes: most });
    const used = most - ((await this.freeBytes("/store")) ?? 0);
    this.setLimits({ maxBytes: used + bytes });
  }
}

describe("a full disk", () => {
  it("refuses the save, keeps what is there, can still remove and compact, and takes saves again", async () => {
    const fs = new SmallDisk();
    const store = new DiskStore("/store", { fs, ...options });
    await store.acquire("a");
    for (let i = 1; i <= 40; i++) await store.commit([put("a", i, { text: text(i) })]);
    await new Promise((resolve) => setTimeout(resolve, 20)); // the reserve is set aside beside the saves
    await fs.leave(0);
    let sequence = 40;
    let code = "none";
    while (code === "none")
      code = await codeOf(store.commit([put("a", ++sequence, { text: text(sequence) })]));
    expect(code).toBe("CKPT_NO_SPACE");
    for (let tries = 0; tries < 3; tries++) {
      expect(await codeOf(store.commit([put("a", sequence, { text: text(sequence) })]))).toBe(
        "CKPT_NO_SPACE",
      );
    }
    for (const i of [1, 20, 40, sequence - 1]) {
      expect((await store.load("a", `a:${i}`)).toValue()).toEqual({ text: text(i) });
    }
    const gone = Array.from({ length: sequence - 2 }, (_, i) => i + 1);
    await store.commit([remove("a", ...gone)]);
    const report = await store.compact();
    expect(report.bytesAfter).toBeLessThan(report.bytesBefore / 4);
    await store.commit([put("a", sequence, { text: text(sequence) })]);
    expect((await store.list("a")).map((header) => header.sequence)).toEqual([sequence - 1, sequence]);
    await store.close();

    const again = new DiskStore("/store", { fs: fs.powerCut({ mode: "strict" }), ...options });
    expect((await again.load("a", `a:${sequence}`)).toValue()).toEqual({ text: text(sequence) });
    expect(await findingsOf(again)).toEqual([]);
    await again.close();
  });

  it("does not lose what was acknowledged, at whichever byte it becomes full", async () => {
    for (let room = 0; room < 9000; room += 1013) {
      const fs = new SmallDisk();
      const store = new DiskStore("/store", { fs, ...options });
      await store.acquire("a");
      await store.commit([put("a", 1, { text: text(1) })]);
      await fs.leave(room);
      const acknowledged = [1];
      for (let i = 2; i <= 70; i++) {
        if ((await codeOf(store.commit([put("a", i, { text: text(i) })]))) === "none") acknowledged.push(i);
      }
      expect(acknowledged.length).toBeLessThan(70);
      fs.setLimits({ maxBytes: Number.POSITIVE_INFINITY });
      await store.commit([put("a", 71, { text: text(71) })]);
      await store.close();
      const again = new DiskStore("/store", { fs: fs.powerCut({ mode: "strict" }) });
      for (const i of [...acknowledged, 71]) {
        expect((await again.load("a", `a:${i}`)).toValue()).toEqual({ text: text(i) });
      }
      await again.close();
    }
  });
});

describe("a disk that fails", () => {
  it("writes a batch whose write failed to a fresh segment, with the same ids, and says nothing of it", async () => {
    const faults = new FaultPlan();
    const fs = new FaultyFileSystem({ faults });
    const store = new DiskStore("/store", { fs, ...options });
    await store.acquire("a");
    await store.acquire("b");
    await store.commit([put("a", 1, { n: 1 }), put("b", 1, { n: 1 })]);
    faults.failSync({ at: faults.syncs + 1, marksClean: true });
    const commits = [2, 3, 4].map((i) => store.commit([put("a", i, { n: i }), put("b", i, { n: i })]));
    const receipts = await Promise.all(commits);
    expect(receipts.map(({ durability }) => durability)).toEqual(["durable", "durable", "durable"]);
    expect((await fs.readdir("/store/writers")).length).toBe(1);
    const disk = fs.powerCut({ mode: "strict" });
    const again = new DiskStore("/store", { fs: disk });
    for (const agentId of ["a", "b"]) {
      expect((await again.list(agentId)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
      expect((await again.load(agentId, `${agentId}:4`)).toValue()).toEqual({ n: 4 });
    }
    expect(await findingsOf(again)).toEqual([]);
    await again.close();
    await store.close();
  });

  it("lets the later state count when a save was rejected and its number was used for another", async () => {
    const faults = new FaultPlan();
    const fs = new FaultyFileSystem({ faults });
    const store = new DiskStore("/store", { fs, ...options });
    await store.acquire("a");
    await store.commit([put("a", 1, { n: 1 })]);
    // The bytes reach the disk, every one of them, and each write reports a failure.
    for (let k = 1; k <= 12; k++) faults.failSync({ at: faults.syncs + k, afterDoing: true });
    expect(await codeOf(store.commit([put("a", 2, { n: "rejected" })]))).toBe("CKPT_IO");
    faults.heal();
    await store.commit([put("a", 2, { n: "acknowledged" })]);
    const again = new DiskStore("/store", { fs: fs.powerCut({ mode: "strict" }) });
    expect((await again.list("a")).map(({ id }) => id)).toEqual(["a:1", "a:2"]);
    expect((await again.load("a", "a:2")).toValue()).toEqual({ n: "acknowledged" });
    expect(await findingsOf(again)).toEqual([]);
    await again.close();
    await store.close();
  });

  it("types every failure, and says what to do", async () => {
    for (const [errno, code] of [
      ["EACCES", "CKPT_NO_PERMISSION"],
      ["EROFS", "CKPT_NO_PERMISSION"],
      ["ENOSPC", "CKPT_NO_SPACE"],
      ["EDQUOT", "CKPT_NO_SPACE"],
      ["EIO", "CKPT_IO"],
      ["EMFILE", "CKPT_IO"],
    ] as const) {
      const faults = new FaultPlan();
      const fs = new FaultyFileSystem({ faults });
      const store = new DiskStore("/store", { fs, ...options });
      await store.acquire("a");
      await store.commit([put("a", 1, { n: 1 })]);
      faults.failAt(faults.operations + 1, {
        errno,
        mode: "forever",
        only: ["write", "create", "mkdir", "rename", "link"],
      });
      const error: unknown = await store.commit([put("a", 2, { n: 2 })]).catch((e: unknown) => e);
      expect([errno, isCkptError(error) && error.code]).toEqual([errno, code]);
      expect(isCkptError(error) && error.hint).toBeTruthy();
      faults.heal();
      expect((await store.load("a", "a:1")).toValue()).toEqual({ n: 1 });
      await store.commit([put("a", 2, { n: 2 })]);
      await store.close();
    }
  });

  it("serves the newest state from the writer's memory when its bytes went bad, and writes it whole with the next save", async () => {
    const fs = new FaultyFileSystem();
    const store = new DiskStore("/store", { fs, ...options });
    await store.acquire("a");
    const big = "b".repeat(5000);
    await store.commit([put("a", 1, { big, n: 1 })]);
    const [writer] = await fs.readdir("/store/writers");
    const path = `/store/writers/${writer}/00000001.seg`;
    const handle = await fs.open(path, { access: "write" });
    await handle.write([Buffer.from("damage")], 3000);
    await handle.close();
    expect((await store.load("a", "a:1")).toValue()).toEqual({ big, n: 1 });
    expect(store.takeFindings()).toMatchObject([{ kind: "damaged", affectedIds: ["a:1"] }]);
    expect((await store.commit([put("a", 2, { big, n: 2 })])).bytesWritten).toBeGreaterThan(5000);
    expect((await store.load("a", "a:2")).toValue()).toEqual({ big, n: 2 });
    expect(await codeOf(store.load("a", "a:1"))).toBe("CKPT_CORRUPT");
    await store.close();
  });
});
