/** @file Addresses of files in memory, given back when they are no longer shown. */
import { useEffect, useMemo } from "preact/hooks";

/** An address for a blob, for as long as the component shows it. */
export function useAddress(blob: Blob): string {
  const address = useMemo(() => URL.createObjectURL(blob), [blob]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return address;
}
