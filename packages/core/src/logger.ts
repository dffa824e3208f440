import { isThenable, onRejection } from "./thenable.js";

/** Where a manager says what it does besides returning and throwing. Any logger with these four methods fits. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A logger whose failures go to `onFailure`: what is logged after a commit must not turn a committed save into a failed one. */
export function guardedLogger(logger: Logger, onFailure: (error: unknown) => void): Logger {
  const guarded =
    (level: keyof Logger): Logger[keyof Logger] =>
    (message, fields) => {
      try {
        const logging: unknown = logger[level](message, fields);
        if (isThenable(logging)) onRejection(logging, onFailure);
      } catch (error) {
        onFailure(error);
      }
    };
  return { debug: guarded("debug"), info: guarded("info"), warn: guarded("warn"), error: guarded("error") };
}

const nothing = (): void => {};

/** The default: says nothing. Failures that matter are thrown or emitted as events as well. */
export const silentLogger: Logger = Object.freeze({
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
});
