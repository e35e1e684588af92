/** The corners by which a shape is changed without a mouse: each is taken in turn and put somewhere else. */
import { away, distance_m, type Pair } from './geometry'
import type { Stroke } from './pen'

/** What can be taken: the points of a shape; of a circle its centre, and its edge in the east. */
export function cornersOf({ shape, points, radius_m }: Stroke): Pair[] {
  return shape === 'circle' ? [points[0], away(points[0], radius_m ?? 0, 90)] : points
}

/** The shape with one corner at another place: the centre takes its circle along, the edge makes it wider. */
export function withCorner(stroke: Stroke, index: number, at: Pair): Stroke {
  const { shape, points, radius_m } = stroke
  if (shape !== 'circle') return { ...stroke, points: points.map((point, i) => (i === index ? at : point)) }
  if (index === 0) return { ...stroke, points: [at] }
  // A circle without a radius is none.
  return { ...stroke, radius_m: distance_m(points[0], at) || radius_m }
}
