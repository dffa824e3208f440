import { describeStore, FaultyFileSystem } from "@ckpt/conformance";
import { type CheckpointStore, MemoryStore } from "@ckpt/core";
import { DiskStore } from "@ckpt/disk";
import { withDegradation, withFallback, withMirror, withRetry, withTelemetry } from "@ckpt/resilient";

describeStore("withRetry", { open: () => withRetry(new MemoryStore()) });
describeStore("withTelemetry", { open: () => withTelemetry(new MemoryStore(), { onCall: () => {} }) });
describeStore("withDegradation", { open: () => withDegradation(new MemoryStore()) });
describeStore("withFallback", { open: () => withFallback(new MemoryStore(), new MemoryStore()) });
describeStore("withMirror", { open: () => withMirror(new MemoryStore(), new MemoryStore()) });
describeStore("all of them", {
  open: () =>
    withTelemetry(
      withDegradation(
        withFallback(withMirror(new MemoryStore(), new MemoryStore()), withRetry(new MemoryStore())),
      ),
      { onCall: () => {} },
    ),
});

/** The suite on a decorator over real disk stores, with a power cut at every reopening. */
function describeOnDisks(name: string, decorate: (...disks: DiskStore[]) => CheckpointStore): void {
  const disks = new WeakMap<CheckpointStore, FaultyFileSystem>();
  const openOn = (fs: FaultyFileSystem) => {
    const at = (directory: string) =>
      new DiskStore(directory, { fs, reserveBytes: 16_384, segmentBytes: 65_536 });
    const store = decorate(at("/one"), at("/two"));
    disks.set(store, fs);
    return store;
  };
  describeStore(name, {
    open: () => openOn(new FaultyFileSystem()),
    reopen: (former) => openOn(disks.get(former)!.powerCut({ mode: "strict" })),
  });
}

describeOnDisks("withRetry on a disk", (disk) => withRetry(disk));
describeOnDisks("withTelemetry on a disk", (disk) => withTelemetry(disk, { onCall: () => {} }));
describeOnDisks("withDegradation on a disk", (disk) => withDegradation(disk));
describeOnDisks("withFallback on two disks", (one, two) => withFallback(one, two));
describeOnDisks("withMirror on two disks", (one, two) => withMirror(one, two));
