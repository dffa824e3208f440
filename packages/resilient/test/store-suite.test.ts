import { describeStore } from "@ckpt/conformance";
import { MemoryStore } from "@ckpt/core";
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
