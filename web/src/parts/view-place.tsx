/** @file The place of a picture that is still being purified: as large as it will be, so that nothing moves. */
import type { JSX } from "preact";

/** An empty {@link PictureView}. */
export function ViewPlace({ name }: { readonly name: string }): JSX.Element {
  return (
    <section class="view" aria-labelledby="view">
      <h2 id="view">{name}</h2>
      <div class="verdict">Being purified.</div>
      <div class="halves">
        <div>
          <div class="compare" />
          <p class="maps">Evidence</p>
          <p class="faint">Left of the line the picture as it came, right of it purified.</p>
        </div>
        <div class="scores-place" />
      </div>
    </section>
  );
}
