import type { Source } from '../models/index.js';

/**
 * The part of TensorFlow's GraphDef, in its JSON form, that networks need. int64s are texts and strings are base64, as
 * Protocol Buffers' JSON mapping has them.
 */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** `node`, or `node:1` for a second output. */
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, Attribute>>;
}

export type Attribute =
  | { readonly type: DataType }
  | { readonly s: string }
  | { readonly i: string }
  | { readonly f: number }
  | { readonly b: boolean }
  | { readonly list: { readonly i: readonly string[] } }
  | { readonly shape: TensorShape }
  | { readonly tensor: { readonly dtype: DataType; readonly tensorShape: TensorShape } };

export type DataType = 'DT_FLOAT' | 'DT_INT32';

export interface TensorShape {
  readonly dim: readonly { readonly size: string }[];
}

/** A constant of the graph; its values stand in the weight files. */
export interface GraphWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

export const FLOAT: Attribute = { type: 'DT_FLOAT' };
const INT: Attribute = { type: 'DT_INT32' };
export const text = (value: string): Attribute => ({ s: Buffer.from(value).toString('base64') });
export const int = (value: number): Attribute => ({ i: String(value) });
export const ints = (values: readonly number[]): Attribute => ({ list: { i: values.map(String) } });
/** @param shape -1 where any length will do. */
export const shapeOf = (shape: readonly number[]): TensorShape => ({ dim: shape.map((n) => ({ size: String(n) })) });

/** Collects nodes and constants; each method returns the name under which the output is read. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  readonly weights: GraphWeight[] = [];

  node(name: string, op: string, input: readonly string[], attr: Readonly<Record<string, Attribute>> = {}): string {
    this.nodes.push({ name, op, input, attr: { T: FLOAT, ...attr } });
    return name;
  }

  placeholder(name: string, shape: readonly number[]): string {
    this.nodes.push({ name, op: 'Placeholder', attr: { dtype: FLOAT, shape: { shape: shapeOf(shape) } } });
    return name;
  }

  floats(name: string, shape: readonly number[], values: Float32Array): string {
    return this.#constant({ name, shape, values }, 'DT_FLOAT');
  }

  /** A vector, or where `shape` says so something else. */
  integers(name: string, values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.#constant({ name, shape, values: Int32Array.from(values) }, 'DT_INT32');
  }

  relu(name: string, input: string): string {
    return this.node(`${name}/relu`, 'Relu', [input]);
  }

  #constant(weight: GraphWeight, dtype: DataType): string {
    const { name, shape } = weight;
    this.weights.push(weight);
    const value: Attribute = { tensor: { dtype, tensorShape: shapeOf(shape) } };
    this.nodes.push({ name, op: 'Const', attr: { dtype: dtype === 'DT_FLOAT' ? FLOAT : INT, value } });
    return name;
  }
}

/** The name under which a node's output is read. */
export type OutputOf = (source: Source) => string;
