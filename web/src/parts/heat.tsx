/**
 * @file A grey map in the colours of heat, transparent where it is black. The square root makes small changes visible;
 * values are not stretched, so that two pictures can be compared.
 */
import type { JSX } from "preact";
import { useAddress } from "../use-address.ts";

/** The map as a picture to lay over another. */
export function Heat({ name, map }: { readonly name: string; readonly map: Blob }): JSX.Element {
  return (
    <>
      <img class="heat" src={useAddress(map)} alt={`Evidence: ${name}`} />
      <svg class="hidden" aria-hidden="true" width="0" height="0">
        <filter id="heat" color-interpolation-filters="sRGB">
          <feColorMatrix values="1 0 0 0 0  1 0 0 0 0  1 0 0 0 0  1 0 0 0 0" />
          <feComponentTransfer>
            <feFuncR type="table" tableValues=".75 1 1 1" />
            <feFuncG type="table" tableValues="0 .35 .8 1" />
            <feFuncB type="table" tableValues="0 0 .1 .6" />
            <feFuncA type="gamma" exponent=".5" />
          </feComponentTransfer>
        </filter>
      </svg>
    </>
  );
}
