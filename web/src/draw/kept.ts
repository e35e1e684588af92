/** Which layers are hidden or faint, kept on this machine. */
import { BASE_PARTS, type BasePart } from './base'

export const KEPT = 'aquila.layers'
export const KEPT_CORRIDOR = 'aquila.corridor'
const CORRIDOR_M = 200
export const CORRIDOR_M_MAX = 200_000

/** The width of the last corridor, metres. */
export function readCorridor_m(stored: string | null): number {
  const kept = Number(stored)
  return kept > 0 && kept <= CORRIDOR_M_MAX ? kept : CORRIDOR_M
}

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
