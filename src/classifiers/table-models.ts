/**
 * @file Models of tables, as scikit-learn's converter writes them: told from networks, so that a refusal names the
 * operator and says what to do instead.
 */
import { UnsupportedOpError } from "../core/errors.ts";
import { decodeModel } from "../onnx/codec.ts";
import type { ModelProto, NodeProto } from "../onnx/schema.ts";
import type { Session } from "../runtime/runtime.ts";
import { formatDims } from "../tensor/shape.ts";

/** The domain of ONNX's operators for models of tables. */
const DOMAIN = "ai.onnx.ml";
/** What such a model has learned is in one of these. */
const estimators = /^(TreeEnsemble|Linear|SVM)/;

/** @throws UnsupportedOpError when a model is one of tables: its operators have no gradients. */
export function refuseTableModel(model: ModelProto): void {
  const estimator = estimatorOf(model);
  if (estimator === undefined) return;
  throw new UnsupportedOpError(
    `model: expected a network, got ${labelOf(estimator)}, through which no gradient passes; because it is a model of tables (scikit-learn). Do train a network on the same images, or use this model as a black box.`,
  );
}

/**
 * Why a model of tables cannot be a black box of images as it is: its input is flat, or it answers lists of maps.
 * @returns undefined for networks, and for models of tables that take images and answer tensors.
 */
export function tableRefusal(model: Uint8Array, { inputs, outputs }: Session): UnsupportedOpError | undefined {
  const flat = inputs.find(({ dims }) => dims.length !== 4 && dims.length !== 0);
  const list = outputs.find(({ dtype }) => dtype === "unknown");
  if (flat === undefined && list === undefined) return undefined;
  const proto = decodeModel(model);
  const estimator = estimatorOf(proto);
  if (flat !== undefined && estimator !== undefined) {
    return new UnsupportedOpError(
      `classifier: expected a network that takes images [N, C, H, W], got ${labelOf(estimator)} behind "${flat.name}" ${formatDims(flat.dims)}; because it is a model of tables (scikit-learn). Do convert it without ZipMap, behind a Reshape from images to rows: it is then a black box.`,
    );
  }
  const maker = proto.graph?.node.find(({ output }) => list !== undefined && output.includes(list.name));
  if (list === undefined || maker?.domain !== DOMAIN) return undefined;
  return new UnsupportedOpError(
    `classifier: expected outputs that are tensors, got "${list.name}", a list of maps from ${labelOf(maker)}. Do convert the model without ZipMap (options={"zipmap": False}).`,
  );
}

function estimatorOf({ graph }: ModelProto): NodeProto | undefined {
  return graph?.node.find(({ opType, domain }) => domain === DOMAIN && estimators.test(opType));
}

function labelOf({ opType, domain, name }: NodeProto): string {
  return `${domain}.${opType} "${name}"`;
}
