const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as it may stand in HTML, XML or one of their attributes. */
export const xmlText = (text: string): string => text.replace(/[&<>"]/g, (c) => ENTITIES[c] as string);
