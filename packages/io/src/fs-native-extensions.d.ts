// The package ships no types; this is the part that os-lock.ts uses.
declare module "fs-native-extensions" {
  const native: {
    /** Exclusive lock on the open file description; false when another description holds one. */
    tryLock(fd: number, offset?: number, length?: number): boolean;
  };
  export default native;
}
