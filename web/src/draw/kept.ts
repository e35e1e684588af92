/** Which layers are hidden or faint, kept on this machine. */
import { BASE_PARTS, type BasePart } from './base'

export const KEPT = 'aquila.layers'
export interface KeptLayers {
  hidden: string[]
  opacity: [string, number][]
  base_hidden: BasePart[]
}

/** What was kept; anything broken counts as nothing. */
export function readKept(stored: string | null): KeptLayers {
  const nothing: KeptLayers = { hidden: [], opacity: [], base_hidden: [] }
  let kept: unknown
  try {
    kept = JSON.parse(stored ?? '{}')
  } catch {
    return nothing
  }
  if (typeof kept !== 'object' || kept === null) return nothing
  const { hidden, opacity, base_hidden } = kept as Record<string, unknown>
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
  return {
    hidden: list(hidden).filter((one): one is string => typeof one === 'string'),
    opacity: list(opacity).filter((one): one is [string, number] => Array.isArray(one) && typeof one[0] === 'string' && typeof one[1] === 'number'),
    base_hidden: list(base_hidden).filter((one): one is BasePart => typeof one === 'string' && one in BASE_PARTS),
  }
}
