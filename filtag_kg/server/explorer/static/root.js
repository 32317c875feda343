// The path of the server's first page: a proxy may put the server under one of its own.
export const ROOT = new URL("../../", import.meta.url).pathname;
