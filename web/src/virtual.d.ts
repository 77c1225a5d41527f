declare module "virtual:methods" {
  /** Every purifier, as `untrigger methods --json` lists it. */
  export const methods: readonly import("./method.ts").Method[];
}
