/** @file Before and after in one frame, with a line between them that can be moved. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PurifiedPng } from "../engine.ts";
import { useAddress } from "../use-address.ts";
import { Heat } from "./heat.tsx";

/** The frame. The slider lies over it: it takes fingers, a mouse and the arrow keys. */
export function Comparison({
  purified,
  map,
}: {
  readonly purified: PurifiedPng;
  readonly map: string | undefined;
}): JSX.Element {
  const [cut, setCut] = useState(50);
  const { row, width, height, input, output, maps } = purified;
  const [before, after] = [useAddress(input), useAddress(output)];
  return (
    <div class="compare" style={{ "--cut": `${cut}%`, "--shape": `${width} / ${height}` }}>
      <img src={before} alt={`${row.name} as it came`} width={width} height={height} />
      <img class="after" src={after} alt={`${row.name}, purified`} width={width} height={height} />
      {map === undefined || maps[map] === undefined ? undefined : <Heat name={map} map={maps[map]} />}
      <span class="line" aria-hidden="true" />
      <input
        type="range"
        min={0}
        max={100}
        value={cut}
        aria-label="How much of the picture as it came is shown"
        aria-valuetext={`${cut} % as it came, ${100 - cut} % purified`}
        onInput={({ currentTarget }) => setCut(currentTarget.valueAsNumber)}
      />
    </div>
  );
}
